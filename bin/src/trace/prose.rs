//! From records to sentences. They are in the past tense, which one replica and three have alike.

use super::Moment;
use super::names::{self, Names, list};
use crate::config::Settings;
use byzlab_adversary::Event;
use byzlab_network::{Happening, NodeId, Record};
use byzlab_replica::{
    Batch, Certificate, Cluster, Content, Digest, Event as ProtocolEvent, Message, NewView, SeqNum, SignedRequest,
    Slot, Snapshot, State, Status, ViewChange, Vote, VoteKind, Wanted,
};
use std::collections::{BTreeMap, BTreeSet};

/// Tells what happened, and remembers what it called things.
pub(super) struct Narrator {
    cluster: Cluster,
    batches: Names,
    states: Names,
    results: Names,
    /// What each replica has committed: what it executes without that is tentative.
    committed: BTreeSet<(NodeId, SeqNum)>,
}

/// What a node did. A message to several nodes is one deed.
#[derive(PartialEq)]
enum Deed {
    Plain(String),
    Sent { message: String, to: BTreeSet<NodeId>, lost: BTreeSet<NodeId>, doubled: BTreeSet<NodeId> },
    Missed { message: String, from: BTreeSet<NodeId> },
}

impl Narrator {
    pub(super) fn new(settings: &Settings) -> Narrator {
        let mut states = Names::numbered('s', 0);
        states.of(Snapshot::new(&settings.protocol).digest().0);
        Narrator {
            cluster: settings.protocol.cluster,
            batches: Names::letters(),
            states,
            results: Names::numbered('r', 1),
            committed: BTreeSet::new(),
        }
    }

    pub(super) fn tell(mut self, records: &[Record<Message, Event>]) -> Vec<Moment> {
        let moments = records.chunk_by(|one, next| one.time == next.time);
        moments.map(|moment| self.tell_moment(moment)).filter(|moment| !moment.deeds.is_empty()).collect()
    }

    fn tell_moment(&mut self, records: &[Record<Message, Event>]) -> Moment {
        let mut deeds: BTreeMap<NodeId, Vec<Deed>> = BTreeMap::new();
        for record in records {
            let node = record.node;
            match &record.what {
                Happening::Event(event) => {
                    if let Some(text) = self.event(node, event, records) {
                        let deeds = deeds.entry(node).or_default();
                        let deed = Deed::Plain(text);
                        // An attack acts on each message, and is told once.
                        if !(matches!(event, Event::Attack(_)) && deeds.contains(&deed)) {
                            deeds.push(deed);
                        }
                    }
                }
                Happening::Sent(recipients, message) => {
                    let mut to = BTreeSet::new();
                    recipients.for_each(node, |node| _ = to.insert(node));
                    if to.is_empty() {
                        continue;
                    }
                    let again = if is_repeated(records, node, message) { " again" } else { "" };
                    let message = self.message(message) + again;
                    send(deeds.entry(node).or_default(), message, to);
                }
                Happening::Delivered(..) | Happening::Dropped(..) | Happening::Duplicated(..) => {}
            }
        }
        // After all sends, for a fate may stand before them.
        for record in records {
            let from = record.node;
            let (Happening::Dropped(to, message) | Happening::Duplicated(to, message)) = &record.what else { continue };
            let is_lost = matches!(record.what, Happening::Dropped(..));
            let again = if is_repeated(records, from, message) { " again" } else { "" };
            let text = self.message(message);
            let sent_now = deeds.entry(from).or_default().iter_mut().find_map(|deed| match deed {
                Deed::Sent { message, to: all, lost, doubled } if *message == format!("{text}{again}") => {
                    let fates = if is_lost { lost } else { doubled };
                    (all.contains(to) && !fates.contains(to)).then_some(fates)
                }
                _ => None,
            });
            match sent_now {
                Some(fates) => _ = fates.insert(*to),
                // Not lost by the network just now, but on arrival: the receiver is down.
                None => miss(deeds.entry(*to).or_default(), text, from),
            }
        }
        deeds.retain(|_, deeds| !deeds.is_empty());
        let told =
            deeds.iter().map(|(&node, own)| (node, own.iter().map(|deed| self.deed(node, deed, &deeds)).collect()));
        Moment { time: records[0].time, deeds: told.collect() }
    }

    fn deed(&self, node: NodeId, deed: &Deed, all: &BTreeMap<NodeId, Vec<Deed>>) -> String {
        match deed {
            Deed::Plain(text) => text.clone(),
            Deed::Missed { message, from } => format!("missed {message} from {}", names::nodes(self.cluster, from)),
            Deed::Sent { message, to, lost, doubled } => {
                let recipients = self.recipients(node, deed, all);
                let lost = match lost {
                    lost if lost.is_empty() => String::new(),
                    lost if lost == to => " (lost)".to_owned(),
                    lost => format!(" (lost to {})", list(lost)),
                };
                let doubled = if doubled.is_empty() { String::new() } else { format!(" (twice to {})", list(doubled)) };
                format!("sent {message} to {recipients}{lost}{doubled}")
            }
        }
    }

    /// For whom something was sent, said so that it is the same for all who sent the same to each other.
    fn recipients(&self, node: NodeId, deed: &Deed, all: &BTreeMap<NodeId, Vec<Deed>>) -> String {
        let Deed::Sent { message, to, .. } = deed else { return String::new() };
        let replicas: BTreeSet<NodeId> = (0..self.cluster.replicas()).map(NodeId).collect();
        if *to == replicas {
            return "all replicas".to_owned();
        }
        let circle: BTreeSet<NodeId> = to.iter().copied().chain([node]).collect();
        if circle == replicas {
            return "the others".to_owned();
        }
        let does_so = |member: &NodeId| {
            let rest: BTreeSet<NodeId> = circle.iter().copied().filter(|other| other != member).collect();
            let same =
                |other: &Deed| matches!(other, Deed::Sent { message: text, to, .. } if text == message && *to == rest);
            all.get(member).is_some_and(|deeds| deeds.iter().any(same))
        };
        if circle.iter().all(does_so) {
            return format!("the others of {}", list(&circle));
        }
        names::nodes(self.cluster, to)
    }

    /// Nothing where a message of the same node and instant says the same.
    fn event(&mut self, node: NodeId, event: &Event, moment: &[Record<Message, Event>]) -> Option<String> {
        let mut events = moment.iter().filter(|record| record.node == node).filter_map(|record| match &record.what {
            Happening::Event(Event::Protocol(event)) => Some(event),
            _ => None,
        });
        let event = match event {
            Event::Corrupt => return Some("fell to the adversary".to_owned()),
            Event::Attack("silent") => return Some("kept silent".to_owned()),
            Event::Attack(name) => return Some(format!("attacked ({name})")),
            Event::Protocol(event) => event,
        };
        Some(match *event {
            ProtocolEvent::Request { .. }
            | ProtocolEvent::Propose(_)
            | ProtocolEvent::Ordered { .. }
            | ProtocolEvent::Replied { .. }
            | ProtocolEvent::Checkpoint { .. } => return None,
            ProtocolEvent::Reply { timestamp, result, .. } => {
                format!("accepted {} as the result of c{node}:{timestamp}", self.results.of(result.0))
            }
            // A primary accepts what it proposes.
            ProtocolEvent::PrePrepared(slot) if events.any(|event| *event == ProtocolEvent::Propose(slot)) => {
                return None;
            }
            ProtocolEvent::PrePrepared(slot) => format!("accepted {}", self.slot(slot)),
            ProtocolEvent::Prepared(slot) => format!("prepared {}", self.slot(slot)),
            ProtocolEvent::Committed(slot) => {
                self.committed.insert((node, slot.seq));
                format!("committed {}", self.slot(slot))
            }
            ProtocolEvent::Rollback(slot) => format!("took back {}", self.slot(slot)),
            ProtocolEvent::Executed { slot, state } => {
                let how = if self.committed.contains(&(node, slot.seq)) { "" } else { " tentatively" };
                format!("executed n{}{how}: {}", slot.seq.0, self.states.of(state.0))
            }
            ProtocolEvent::Stable { seq, state } => {
                format!("moved h to {}, as n{} with {} is stable", seq.0, seq.0, self.states.of(state.0))
            }
            ProtocolEvent::Timeout(view) => format!("lost patience with view {}", view.0),
            ProtocolEvent::ViewChange(view) if events.any(|event| matches!(event, ProtocolEvent::Timeout(_))) => {
                format!("left for view {}", view.0)
            }
            ProtocolEvent::ViewChange(view) => format!("joined those who left for view {}", view.0),
            ProtocolEvent::NewView { view, .. } => format!("entered view {}", view.0),
            ProtocolEvent::StateTransfer { seq, state } => {
                format!("took over {} after n{}", self.states.of(state.0), seq.0)
            }
            ProtocolEvent::Crash => "crashed".to_owned(),
            ProtocolEvent::Restart { durable: true } => "came back with its durable state".to_owned(),
            ProtocolEvent::Restart { durable: false } => "came back without its state".to_owned(),
        })
    }

    fn slot(&mut self, Slot { view, seq, digest }: Slot) -> String {
        format!("(v{}, n{}, {})", view.0, seq.0, self.batches.of(digest.0))
    }

    fn message(&mut self, message: &Message) -> String {
        match message {
            Message::Request(request) => format!("REQUEST({})", request_name(request)),
            Message::Read(request) => format!("REQUEST({}, read-only)", request_name(request)),
            Message::PrePrepare(pre_prepare) => {
                let Slot { view, seq, digest } = pre_prepare.slot();
                let name = self.batches.of(digest.0);
                format!("PRE-PREPARE(v{}, n{}, {name} = {})", view.0, seq.0, contents(&pre_prepare.batch))
            }
            Message::Vote(vote) => self.vote(vote),
            Message::Reply(reply) => {
                let result = self.results.of(Digest::of([reply.result]).0);
                format!("REPLY(v{}, c{}:{}, {result})", reply.view.0, reply.client, reply.timestamp)
            }
            Message::ViewChange(change) => self.view_change(change),
            Message::NewView(new_view) => self.new_view(new_view),
            Message::Status(status) => status_text(status),
            Message::Fetch(fetch) => match fetch.wanted {
                Wanted::Batch => format!("FETCH(n{} {})", fetch.seq.0, self.batches.of(fetch.digest.0)),
                Wanted::Checkpoint => format!("FETCH(checkpoint n{} {})", fetch.seq.0, self.states.of(fetch.digest.0)),
            },
            Message::State(state) => self.state(state),
        }
    }

    fn vote(&mut self, vote: &Vote) -> String {
        match vote.kind {
            VoteKind::PrePrepare => format!("PRE-PREPARE{}", self.slot(vote.slot())),
            VoteKind::Prepare => format!("PREPARE{}", self.slot(vote.slot())),
            VoteKind::Commit => format!("COMMIT{}", self.slot(vote.slot())),
            VoteKind::Checkpoint => format!("CHECKPOINT(n{}, {})", vote.seq.0, self.states.of(vote.digest.0)),
        }
    }

    fn view_change(&mut self, change: &ViewChange) -> String {
        let proof = match &change.checkpoint {
            Some(proof) => format!(", C: {}", self.states.of(proof.slot().digest.0)),
            None => String::new(),
        };
        let prepared = change.prepared.iter().map(|prepared| {
            let Slot { view, seq, digest } = prepared.slot();
            format!("n{} {}@v{}", seq.0, self.batches.of(digest.0), view.0)
        });
        let prepared = some_or_none(prepared);
        format!("VIEW-CHANGE(v{}, h{}{proof}, P: {prepared})", change.view.0, change.stable.0)
    }

    fn new_view(&mut self, new_view: &NewView) -> String {
        let authors: BTreeSet<NodeId> = new_view.view_changes.iter().map(|change| change.replica).collect();
        let order = new_view.order.iter().map(|vote| format!("n{} {}", vote.seq.0, self.batches.of(vote.digest.0)));
        let order = some_or_none(order);
        format!("NEW-VIEW(v{}, V: {}, h{}, O: {order})", new_view.view.0, list(&authors), new_view.stable().0)
    }

    fn state(&mut self, state: &State) -> String {
        match &state.content {
            Content::Batch { seq, batch } => format!("STATE(n{} {})", seq.0, self.batches.of(batch.digest().0)),
            Content::Committed { proof, .. } => format!("STATE({} with its commits)", self.slot(proof.slot())),
            Content::Checkpoint { proof, snapshot } => {
                format!("STATE(checkpoint n{} {})", proof.slot().seq.0, self.states.of(snapshot.digest().0))
            }
        }
    }
}

/// A client says a request for the first time when it makes it.
fn is_repeated(moment: &[Record<Message, Event>], node: NodeId, message: &Message) -> bool {
    let (Message::Request(request) | Message::Read(request)) = message else { return false };
    let makes_it = |record: &Record<Message, Event>| {
        let event = match &record.what {
            Happening::Event(Event::Protocol(ProtocolEvent::Request { timestamp, .. })) => *timestamp,
            _ => return false,
        };
        record.node == node && event == request.timestamp
    };
    node == request.client && !moment.iter().any(makes_it)
}

fn request_name(request: &SignedRequest) -> String {
    format!("c{}:{}", request.client, request.timestamp)
}

fn contents(batch: &Batch) -> String {
    let requests: Vec<String> = batch.requests().iter().map(request_name).collect();
    let nonce = if batch.nonce() == 0 { String::new() } else { format!(" and nonce {}", batch.nonce()) };
    requests.join(" ") + &nonce
}

fn some_or_none(texts: impl Iterator<Item = String>) -> String {
    let texts: Vec<String> = texts.collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

fn status_text(status: &Status) -> String {
    let pending = if status.active { "" } else { " pending" };
    let stable = status.stable.as_ref().map_or(0, |proof: &Certificate| proof.slot().seq.0);
    let held = (0..64).filter(|bit| status.pre_prepared >> bit & 1 == 1).map(|bit| status.executed.0 + 1 + bit);
    let held: Vec<String> = held.map(|number| format!(" n{number}")).collect();
    let held = if held.is_empty() { String::new() } else { format!(", has{}", held.concat()) };
    let answer = if status.answers { ", an answer" } else { "" };
    format!("STATUS(v{}{pending}, h{stable}, executed n{}{held}{answer})", status.view.0, status.executed.0)
}

/// One message to several nodes is one deed; twice the same to one node is two.
fn send(deeds: &mut Vec<Deed>, text: String, to: BTreeSet<NodeId>) {
    let same = deeds.iter_mut().find_map(|deed| match deed {
        Deed::Sent { message, to: all, .. } if *message == text && all.is_disjoint(&to) => Some(all),
        _ => None,
    });
    match same {
        Some(all) => all.extend(to),
        None => deeds.push(Deed::Sent { message: text, to, lost: BTreeSet::new(), doubled: BTreeSet::new() }),
    }
}

fn miss(deeds: &mut Vec<Deed>, text: String, sender: NodeId) {
    let same = deeds.iter_mut().find_map(|deed| match deed {
        Deed::Missed { message, from } if *message == text => Some(from),
        _ => None,
    });
    match same {
        Some(from) => _ = from.insert(sender),
        None => deeds.push(Deed::Missed { message: text, from: BTreeSet::from([sender]) }),
    }
}
