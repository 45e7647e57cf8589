//! What an attack is: how it changes what a corrupted node hears and says, and when it applies.

use crate::interference::Interference;
use crate::kind::AttackKind;
use crate::knowledge::Knowledge;
use crate::parameter::Visit;
use byzlab_network::{Act, Key, NodeId, Recipients, Rule, RuleScope, Time};
use byzlab_replica::{Message, MessageKind, ProtocolConfig, Signer, View};
use std::collections::BTreeMap;

/// One attack of an experiment: what it does, and when.
#[derive(Clone, PartialEq, Debug)]
pub struct AttackConfig {
    /// What it does, with its parameters.
    pub kind: AttackKind,
    /// When.
    pub scope: Scope,
}

impl<K: Into<AttackKind>> From<K> for AttackConfig {
    /// The attack in its full scope.
    fn from(kind: K) -> AttackConfig {
        AttackConfig { kind: kind.into(), scope: Scope::default() }
    }
}

/// When an attack applies: to whom, in which span of time, to which messages, and how often.
#[derive(Clone, PartialEq, Debug)]
pub struct Scope {
    /// Which corrupted nodes take part; none means all of them.
    pub members: Option<Vec<NodeId>>,
    /// From this instant,
    pub start: Time,
    /// until before this one. What was put off before leaves all the same.
    pub end: Time,
    /// The probability that a message is affected, in 0..=1; decided once for all recipients and repetitions of a message.
    pub probability: f64,
    /// Which of the messages that the attack can act on; none means all of them.
    pub messages: Option<Vec<MessageKind>>,
    /// Only messages of this view; what has no view counts as of the view that the corrupted replica is in or wants.
    pub view: Option<View>,
    /// Only messages with this number, as [`Message::seq`] tells it.
    pub seq: Option<u64>,
    /// Only what goes to these nodes; none means to any.
    pub to: Option<Vec<NodeId>>,
}

impl Default for Scope {
    fn default() -> Scope {
        Scope {
            members: None,
            start: Time::START,
            end: Time::END,
            probability: 1.0,
            messages: None,
            view: None,
            seq: None,
            to: None,
        }
    }
}

impl Scope {
    /// The same, but only as far as these keys say, see [`About::limits`].
    #[must_use]
    pub fn within(&self, limits: &[&str]) -> Scope {
        let (scope, all) = (self.clone(), Scope::default());
        let has = |key: &str| limits.contains(&key);
        Scope {
            members: scope.members.filter(|_| has("members")),
            start: if has("start") { scope.start } else { all.start },
            end: if has("end") { scope.end } else { all.end },
            probability: if has("probability") { scope.probability } else { all.probability },
            messages: scope.messages.filter(|_| has("messages")),
            view: scope.view.filter(|_| has("view")),
            seq: scope.seq.filter(|_| has("seq")),
            to: scope.to.filter(|_| has("to")),
        }
    }

    fn is_open_at(&self, now: Time) -> bool {
        self.start <= now && now < self.end
    }

    pub(crate) fn has_member(&self, node: NodeId) -> bool {
        self.members.as_ref().is_none_or(|members| members.contains(&node))
    }

    /// Whether a message is in scope, but for probability and recipients. `view` is that of the node.
    fn covers(&self, about: &About, message: &Message, view: View) -> bool {
        let kind = message.kind();
        about.messages.contains(&kind)
            && self.messages.as_ref().is_none_or(|messages| messages.contains(&kind))
            && self.view.is_none_or(|wanted| wanted == message.view().unwrap_or(view))
            && self.seq.is_none_or(|wanted| wanted == message.seq())
    }
}

/// What kind of harm an attack does: the order of the catalogue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Family {
    /// A fault without malice.
    Benign,
    /// It says what is not so.
    Lying,
    /// It says the truth at the wrong moment, or not to all.
    Timing,
    /// It says more than anybody can handle.
    Flood,
    /// It chooses whom to corrupt while the run goes on.
    Adaptive,
    /// It acts on the network.
    Network,
    /// One identity, or several that act as one, play several parts.
    SplitBrain,
}

impl Family {
    /// Its name in the catalogue.
    pub fn name(self) -> &'static str {
        match self {
            Family::Benign => "benign",
            Family::Lying => "lying",
            Family::Timing => "timing",
            Family::Flood => "floods",
            Family::Adaptive => "adaptive",
            Family::Network => "network",
            Family::SplitBrain => "split brain",
        }
    }
}

/// What an attack is good for only where the experiment has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// Power over the network: `[adversary.network]`.
    Network,
    /// Corrupted clients: `adversary.clients`.
    Clients,
    /// A budget above those who are corrupted from the start: `adversary.budget`.
    Budget,
    /// View changes: `protocol.view_change`.
    ViewChanges,
    /// `protocol.authentication = "mac"`.
    Macs,
}

impl Need {
    /// What an experiment says to have it.
    pub fn setting(self) -> &'static str {
        match self {
            Need::Network => "[adversary.network]",
            Need::Clients => "adversary.clients",
            Need::Budget => "adversary.budget",
            Need::ViewChanges => "protocol.view_change = true",
            Need::Macs => "protocol.authentication = \"mac\"",
        }
    }
}

/// What an attack acts on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ActsOn {
    /// What a corrupted node hears.
    Hearing,
    /// What it says.
    Saying,
    /// Both.
    Both,
    /// On nothing that passes: it acts by itself.
    Itself,
    /// On what the node is, from the start of the run to its end.
    Identity,
}

/// What is known of an attack before it begins.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Its name in configurations and logs.
    pub name: &'static str,
    /// What kind of harm it does.
    pub family: Family,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// The kinds of messages that it can act on.
    pub messages: &'static [MessageKind],
    /// On which way.
    pub acts_on: ActsOn,
    /// Whether it says things of its own accord besides.
    pub unprompted: bool,
    /// What it takes.
    pub needs: &'static [Need],
    /// Why no bound on latency holds under it even with at most f corrupted replicas; none if it does.
    pub unbounded: Option<&'static str>,
}

impl About {
    /// An attack on what corrupted replicas say.
    pub(crate) const fn saying(
        name: &'static str,
        family: Family,
        summary: &'static str,
        messages: &'static [MessageKind],
    ) -> About {
        About {
            name,
            family,
            summary,
            messages,
            acts_on: ActsOn::Saying,
            unprompted: false,
            needs: &[],
            unbounded: None,
        }
    }

    /// An attack on what corrupted replicas hear.
    pub(crate) const fn hearing(
        name: &'static str,
        family: Family,
        summary: &'static str,
        messages: &'static [MessageKind],
    ) -> About {
        About { acts_on: ActsOn::Hearing, ..About::saying(name, family, summary, messages) }
    }

    /// An attack that acts by itself.
    pub(crate) const fn itself(name: &'static str, family: Family, summary: &'static str) -> About {
        About { acts_on: ActsOn::Itself, ..About::saying(name, family, summary, &[]) }
    }

    /// An attack that makes something else of the node.
    pub(crate) const fn identity(name: &'static str, family: Family, summary: &'static str) -> About {
        About { acts_on: ActsOn::Identity, ..About::saying(name, family, summary, &[]) }
    }

    /// The same, on both ways.
    pub(crate) const fn both_ways(self) -> About {
        About { acts_on: ActsOn::Both, ..self }
    }

    /// The same, which says things of its own accord besides.
    pub(crate) const fn unprompted(self) -> About {
        About { unprompted: true, ..self }
    }

    /// The same, which takes something.
    pub(crate) const fn needing(self, needs: &'static [Need]) -> About {
        About { needs, ..self }
    }

    /// The same, under which no bound on latency holds.
    pub(crate) const fn unbounded(self, why: &'static str) -> About {
        About { unbounded: Some(why), ..self }
    }

    /// The parts of a [`Scope`] that limit it, as keys of a configuration.
    pub fn limits(&self) -> &'static [&'static str] {
        const ALL: [&str; 8] = ["members", "start", "end", "probability", "messages", "view", "seq", "to"];
        let is_of_nobody = self.needs.contains(&Need::Network) || self.needs.contains(&Need::Budget);
        match self.acts_on {
            ActsOn::Identity => &ALL[..1],
            // The adversary as a whole acts, and none of its members.
            ActsOn::Itself if is_of_nobody => &ALL[1..3],
            ActsOn::Itself => &ALL[..3],
            _ if self.unprompted => &ALL[..3],
            ActsOn::Hearing => &ALL[..7],
            ActsOn::Saying | ActsOn::Both => &ALL,
        }
    }

    /// Whether replicas can take part.
    pub fn is_for_replicas(&self) -> bool {
        !self.needs.contains(&Need::Clients)
    }

    /// Whether clients can take part, if it acts on these of its messages: a client says requests and hears replies.
    pub fn is_for_clients(&self, messages: &[MessageKind]) -> bool {
        let says = self.says() && messages.contains(&MessageKind::Request);
        let hears = self.hears() && messages.contains(&MessageKind::Reply);
        self.needs.contains(&Need::Clients) || says || hears
    }

    fn hears(&self) -> bool {
        matches!(self.acts_on, ActsOn::Hearing | ActsOn::Both)
    }

    fn says(&self) -> bool {
        matches!(self.acts_on, ActsOn::Saying | ActsOn::Both)
    }
}

/// A message on its way out of a corrupted node.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Departure {
    /// When it leaves: now, or later.
    pub(crate) at: Time,
    pub(crate) to: Recipients,
    pub(crate) message: Message,
}

impl Departure {
    /// The same, but it leaves at this instant, or when it would anyway if that is later.
    pub(crate) fn not_before(self, at: Time) -> Departure {
        Departure { at: self.at.max(at), ..self }
    }

    /// To whom it goes.
    pub(crate) fn recipients(&self, from: NodeId) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        self.to.for_each(from, |to| nodes.push(to));
        nodes
    }

    /// The same message for others; none if that is nobody.
    pub(crate) fn redirected(&self, to: Vec<NodeId>) -> Option<Departure> {
        (!to.is_empty()).then(|| Departure { to: Recipients::List(to.into()), ..self.clone() })
    }

    /// Whether `others` send the same message to the same nodes at the same time, so that nothing was changed.
    fn is_all_of(&self, from: NodeId, others: &[Departure]) -> bool {
        matches!(others, [other] if other.at == self.at && other.message == self.message
            && other.recipients(from) == self.recipients(from))
    }
}

/// What becomes of a message that arrives at a corrupted node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reception {
    /// The state machine gets it.
    Heard,
    /// It does not.
    Lost,
    /// It gets it at this instant.
    Later(Time),
}

/// What an attack knows when it acts, and what it can do.
pub(crate) struct Scene<'a> {
    pub(crate) now: Time,
    /// Signs for the corrupted node that acts.
    pub(crate) signer: &'a Signer,
    /// The view that this node is in or wants.
    pub(crate) view: View,
    /// When the attack ends.
    pub(crate) end: Time,
    pub(crate) config: &'a ProtocolConfig,
    /// All corrupted nodes, lowest id first.
    pub(crate) corrupted: &'a [NodeId],
    /// Whom colluders leave out when they divide the others: each other.
    pub(crate) colluders: &'a [NodeId],
    /// Names the random draws of this attack on this message.
    pub(crate) draws: Key,
    pub(crate) knowledge: &'a Knowledge,
    pub(crate) out: &'a mut Vec<Departure>,
}

impl Scene<'_> {
    /// The corrupted node that acts.
    pub(crate) fn node(&self) -> NodeId {
        self.signer.node()
    }

    pub(crate) fn is_corrupted(&self, node: NodeId) -> bool {
        self.corrupted.contains(&node)
    }

    /// The replicas that are not corrupted, lowest id first.
    pub(crate) fn honest_replicas(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.config.cluster.replicas()).map(NodeId).filter(|&node| !self.is_corrupted(node))
    }

    /// Passes a message on to what comes after this attack, and in the end to the network.
    pub(crate) fn send(&mut self, departure: Departure) {
        self.out.push(departure);
    }

    /// Says something of its own accord, now.
    pub(crate) fn say(&mut self, to: Recipients, message: Message) {
        self.out.push(Departure { at: self.now, to, message });
    }
}

/// What the adversary knows when it acts as a whole, and what it can do to the run.
pub(crate) struct Command<'a> {
    pub(crate) now: Time,
    /// The latest view that is known to have begun.
    pub(crate) view: View,
    pub(crate) config: &'a ProtocolConfig,
    /// All corrupted nodes, lowest id first.
    pub(crate) corrupted: &'a [NodeId],
    /// In which span of time the attack applies.
    pub(crate) span: (Time, Time),
    /// How many replicas it may still take over.
    pub(crate) budget: &'a mut u16,
    /// Whom it is taking over already.
    pub(crate) falling: &'a mut Vec<NodeId>,
    /// The names of its rules begin here.
    pub(crate) first_rule: u32,
    /// The rules of this attack that are in force.
    pub(crate) imposed: &'a mut BTreeMap<u32, Rule>,
    pub(crate) acts: &'a mut Vec<Act>,
}

impl Command<'_> {
    pub(crate) fn primary(&self) -> NodeId {
        self.config.cluster.primary(self.view)
    }

    pub(crate) fn is_corrupted(&self, node: NodeId) -> bool {
        self.corrupted.contains(&node) || self.falling.contains(&node)
    }

    /// All nodes.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.config.cluster.replicas() + self.config.clients).map(NodeId)
    }

    /// Takes a replica over, unless it is corrupted already or the budget is spent.
    pub(crate) fn take_over(&mut self, replica: NodeId) {
        if *self.budget > 0 && !self.is_corrupted(replica) {
            *self.budget -= 1;
            self.falling.push(replica);
            self.acts.push(Act::TakeOver(replica));
        }
    }

    /// Puts a rule in force; one of the same number goes. One that says the same stays: a new one would begin only now, and let through
    /// what was sent a little earlier.
    pub(crate) fn impose(&mut self, number: u32, rule: Rule) {
        let start = rule.scope().start;
        let says_the_same =
            |old: &Rule| RuleScope { start, ..old.scope().clone() } == *rule.scope() && old.action() == rule.action();
        if self.imposed.get(&number).is_some_and(says_the_same) {
            return;
        }
        self.imposed.insert(number, rule.clone());
        self.acts.push(Act::Impose(self.first_rule + number, rule));
    }

    /// Takes a rule away.
    pub(crate) fn lift(&mut self, number: u32) {
        if self.imposed.remove(&number).is_some() {
            self.acts.push(Act::Lift(self.first_rule + number));
        }
    }
}

/// The behaviour of an attack, and what it remembers.
pub(crate) trait Attack {
    /// What is known of it before it begins.
    fn about(&self) -> About;

    /// Shows its parameters to a visitor, who may change them.
    fn parameters(&mut self, _visit: &mut dyn Visit) {}

    /// What becomes of a message in scope that arrives at a corrupted node. What the attack says at this moment goes out before the
    /// node reacts.
    fn receive(&mut self, _scene: &mut Scene<'_>, _from: NodeId, _message: &Message) -> Reception {
        Reception::Heard
    }

    /// What is sent instead of a message in scope.
    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        scene.send(departure);
    }

    /// The time has come that `next_wake` asked for: once for each corrupted node that takes part.
    fn wake(&mut self, _scene: &mut Scene<'_>) {}

    /// The adversary acts as a whole: when the attack wakes, and when a later view is known to have begun.
    fn command(&mut self, _command: &mut Command<'_>) {}

    /// What it does to the network, if it does.
    fn interference(&self) -> Option<&Interference> {
        None
    }

    /// When it wants to be woken next, if it was last woken at `last`; none before the first time.
    fn next_wake(&self, _last: Option<Time>) -> Option<Time> {
        None
    }
}

/// An attack with its scope, as the controller holds it.
pub(crate) struct ActiveAttack {
    /// Its rules that are in force.
    pub(crate) imposed: BTreeMap<u32, Rule>,
    kind: AttackKind,
    about: About,
    scope: Scope,
    draws: Key,
    last_wake: Option<Time>,
}

impl ActiveAttack {
    pub(crate) fn new(config: &AttackConfig, draws: Key) -> ActiveAttack {
        let AttackConfig { kind, scope } = config.clone();
        ActiveAttack { imposed: BTreeMap::new(), about: kind.about(), kind, scope, draws, last_wake: None }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.about.name
    }

    /// The name of the draws for this message if it is in scope, recipients aside.
    fn draws_for(&self, scene: &Scene<'_>, message: &Message) -> Option<Key> {
        let node = scene.node();
        let in_scope = self.scope.is_open_at(scene.now)
            && self.scope.has_member(node)
            && self.scope.covers(&self.about, message, scene.view);
        if !in_scope {
            return None;
        }
        let view = message.view().map_or(0, |view| u64::from(view.0));
        let name = [u64::from(node.0), message.kind() as u64, view, message.seq(), message.digest().0];
        let mut draws = name.into_iter().fold(self.draws, Key::child);
        // Votes of several replicas say the same, and so may replies to several clients; of a pre-prepare the view tells whose it is.
        let whose = match message {
            Message::Reply(reply) => reply.client,
            Message::PrePrepare(_) => node,
            other => other.author(),
        };
        if whose != node {
            draws = draws.child(u64::from(whose.0));
        }
        draws.chance(self.scope.probability).then(|| draws.child(1))
    }

    /// What becomes of a message that arrives, and whether the attack acted; what it says goes to `scene`.
    pub(crate) fn receive(&mut self, mut scene: Scene<'_>, from: NodeId, message: &Message) -> (Reception, bool) {
        if !self.about.hears() {
            return (Reception::Heard, false);
        }
        let Some(draws) = self.draws_for(&scene, message) else { return (Reception::Heard, false) };
        (scene.draws, scene.end) = (draws, self.scope.end);
        let before = scene.out.len();
        let reception = self.kind.get_mut().receive(&mut scene, from, message);
        (reception, reception != Reception::Heard || scene.out.len() > before)
    }

    /// Puts what is sent instead of `departure` to `scene`, and tells whether that is something else.
    pub(crate) fn send(&mut self, mut scene: Scene<'_>, departure: Departure) -> bool {
        let draws = if self.about.says() { self.draws_for(&scene, &departure.message) } else { None };
        let Some(draws) = draws else {
            scene.send(departure);
            return false;
        };
        let node = scene.node();
        let (inside, outside) = self.split(node, departure);
        scene.out.extend(outside);
        let Some(departure) = inside else { return false };
        (scene.draws, scene.end) = (draws, self.scope.end);
        let (original, first) = (departure.clone(), scene.out.len());
        self.kind.get_mut().send(&mut scene, departure);
        !original.is_all_of(node, &scene.out[first..])
    }

    /// Splits a message into what goes to nodes in scope and what does not.
    fn split(&self, from: NodeId, departure: Departure) -> (Option<Departure>, Option<Departure>) {
        let Some(scope) = &self.scope.to else { return (Some(departure), None) };
        let (inside, outside) = departure.recipients(from).into_iter().partition(|to| scope.contains(to));
        (departure.redirected(inside), departure.redirected(outside))
    }

    /// When it wants to be woken next.
    pub(crate) fn next_wake(&self) -> Option<Time> {
        let wake = self.kind.get().next_wake(self.last_wake)?.max(self.scope.start);
        (wake < self.scope.end).then_some(wake)
    }

    /// Lets the adversary act as a whole; tells whether it did.
    pub(crate) fn command(&mut self, mut command: Command<'_>) -> bool {
        if !self.scope.is_open_at(command.now) {
            return false;
        }
        command.span = (self.scope.start, self.scope.end);
        let before = command.acts.len();
        self.kind.get_mut().command(&mut command);
        command.acts.len() > before
    }

    /// Wakes it for a node, if it takes part; tells whether it said something.
    pub(crate) fn wake(&mut self, mut scene: Scene<'_>) -> bool {
        if !self.scope.has_member(scene.node()) {
            return false;
        }
        scene.draws = self.draws.component("wake").child(u64::from(scene.node().0)).child(scene.now.as_nanos());
        let before = scene.out.len();
        self.kind.get_mut().wake(&mut scene);
        scene.out.len() > before
    }

    pub(crate) fn has_woken(&mut self, now: Time) {
        self.last_wake = Some(now);
    }
}
