//! The replica.

mod checkpoints;
mod execution;
mod normal_case;
mod recovery;
mod views;

pub use normal_case::ordered_events;

use crate::config::ProtocolConfig;
use crate::digest::Digest;
use crate::log::Log;
use crate::message::{Message, Reply, SeqNum, View};
use crate::quorum::NodeSet;
use crate::requests::Requests;
use crate::signature::Signer;
use crate::state::Snapshot;
use crate::step::{Effects, Event, Input, Timer};
use byzlab_network::{NodeId, Recipients, Time};
use checkpoints::Checkpoints;
use execution::Reads;
use normal_case::Proposer;
use recovery::{Pulse, Transfer};
use std::sync::Arc;
use views::{Patience, Views};

/// A replica of PBFT: a state machine without clock, network or randomness.
///
/// **The caller** calls [`Replica::step`] with a `now` that never goes backwards, and after each call carries out the
/// [`Effects`]: it sends the messages, sets the timers and logs the events. A timer that runs out after it was switched off or put
/// off may be reported all the same; it does nothing.
///
/// **Upon receiving** (the numbers are those of the rules in `docs/protocol.md`)
/// * REQUEST: send the last reply again if it was the client's last request; else order it if primary of the view, else
///   pass it on to the primary and wait for it, also if another replica passed it on here (10, 12, 13).
/// * PRE-PREPARE: accept it if the primary of the view signed it, it lies in the window, and no other digest was accepted for
///   its view and number (3); then send PREPARE.
/// * PREPARE, COMMIT: count the voter (4, 5). Prepared with the pre-prepare and Q−1 prepares of backups: send COMMIT
///   (6). Committed with Q commits: execute in order (7), and reply.
/// * CHECKPOINT: with Q matching ones for what was executed here, forget everything up to it (18).
/// * VIEW-CHANGE: join f+1 others (16); with Q of them start the new-view timer (15), and as the new primary send NEW-VIEW (24).
/// * NEW-VIEW: enter the view if its order follows from its certificates (26, 27).
/// * STATUS: send what the sender lacks (17). FETCH: send the contents. STATE: take them over if their digest is right (20).
///
/// **When a timer runs out**: `View`: leave the view (13, 15). `Status`: if nothing has moved for a while, say what is missing (17).
/// `Batch`: propose what waits.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Replica {
    config: Arc<ProtocolConfig>,
    signer: Signer,
    /// The view that it is in, or wants.
    view: View,
    /// The primary of that view.
    primary: NodeId,
    /// The view if it has entered it; none during a view change. A vote is compared with this alone.
    active: Option<View>,
    log: Log,
    last_executed: SeqNum,
    state: Snapshot,
    /// The state before the last batch, as long as that is executed tentatively only (rule 28).
    undo: Option<Box<Snapshot>>,
    /// What clients wait for.
    requests: Requests,
    proposer: Proposer,
    patience: Patience,
    /// When the patience ends.
    deadline: Option<Time>,
    views: Views,
    checkpoints: Checkpoints,
    transfer: Option<Transfer>,
    reads: Reads,
    pulse: Pulse,
}

impl Replica {
    /// A replica at the start of the run: view 0, nothing executed. The signer says which one it is.
    pub fn new(config: Arc<ProtocolConfig>, signer: Signer) -> Replica {
        let clients = usize::from(config.clients);
        Replica {
            view: View(0),
            primary: config.cluster.primary(View(0)),
            active: Some(View(0)),
            log: Log::new(config.log_window.get()),
            last_executed: SeqNum(0),
            state: Snapshot::new(&config),
            undo: None,
            requests: Requests::new(clients),
            proposer: Proposer::new(clients),
            patience: Patience::Off,
            deadline: None,
            views: Views::default(),
            checkpoints: Checkpoints::default(),
            transfer: None,
            reads: Reads::default(),
            pulse: Pulse::new(usize::from(config.cluster.replicas())),
            config,
            signer,
        }
    }

    /// Which replica it is.
    pub fn id(&self) -> NodeId {
        self.signer.node()
    }

    /// Its signer, for whoever takes it over.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The protocol's parameters.
    pub fn config(&self) -> &ProtocolConfig {
        &self.config
    }

    /// The view that it is in, or wants.
    pub fn view(&self) -> View {
        self.view
    }

    /// Whether it takes part in its view, and does not wait for it to begin.
    pub fn is_active(&self) -> bool {
        self.active.is_some()
    }

    /// The last batch that it executed.
    pub fn last_executed(&self) -> SeqNum {
        self.last_executed
    }

    /// Its message log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The digest of its state: the service and the client table (rule 19).
    pub fn state_digest(&self) -> Digest {
        self.state.digest()
    }

    /// Whether it is the primary of its view.
    pub fn is_primary(&self) -> bool {
        self.primary == self.id()
    }

    /// Reacts to an input at `now`.
    #[inline(always)]
    pub fn step(&mut self, now: Time, input: Input, effects: &mut Effects) {
        if let Input::Message(from, Message::Vote(vote)) = input {
            // Nothing in it needs to be dropped, which the compiler does not see; nearly all inputs are votes.
            std::mem::forget(input);
            self.on_vote(now, from, vote, effects);
            return;
        }
        match input {
            Input::Message(from, message) => self.on_message(now, from, message, effects),
            Input::Timer(timer) => self.on_timer(now, timer, effects),
            Input::Restart { durable } => self.restart(now, durable, effects),
            Input::Start => {}
        }
    }

    #[inline(never)]
    fn on_message(&mut self, now: Time, from: NodeId, message: Message, effects: &mut Effects) {
        self.stay_awake(now, effects);
        match message {
            Message::Request(request) => self.on_request(now, from, request, effects),
            Message::Read(request) => self.on_read(from, request, effects),
            // A client has nothing else to say.
            _ if !self.config.cluster.is_replica(from) => {}
            Message::PrePrepare(pre_prepare) => self.on_pre_prepare(now, from, pre_prepare, effects),
            Message::Vote(vote) => self.on_vote(now, from, vote, effects),
            Message::ViewChange(change) => self.on_view_change(now, from, change, effects),
            Message::NewView(new_view) => self.on_new_view(now, &new_view, effects),
            Message::Status(status) => self.on_status(now, from, &status, effects),
            Message::Fetch(fetch) => self.on_fetch(from, &fetch, effects),
            Message::State(state) => self.on_state(now, &state, effects),
            // Not a replica's business.
            Message::Reply(_) => {}
        }
    }

    #[inline(never)]
    fn on_timer(&mut self, now: Time, timer: Timer, effects: &mut Effects) {
        match timer {
            Timer::Batch => self.propose_waiting(now, effects),
            Timer::View => self.on_view_timer(now, effects),
            Timer::Status => self.on_status_timer(now, effects),
            // A client's.
            Timer::Retransmit | Timer::NextRequest => {}
        }
    }

    fn send_to_others(&self, message: Message, effects: &mut Effects) {
        effects.send(self.config.other_replicas(), message);
    }

    /// Sends to those of `nodes` that are other replicas.
    fn send_to(&self, nodes: &NodeSet, message: Message, effects: &mut Effects) {
        let others = nodes.iter().filter(|&node| node != self.id() && self.config.cluster.is_replica(node));
        effects.send(Recipients::List(others.collect()), message);
    }

    fn reply(&self, client: NodeId, timestamp: u64, result: u64, effects: &mut Effects) {
        self.answer(client, timestamp, result, None, effects);
    }

    fn answer(&self, client: NodeId, timestamp: u64, result: u64, read_at: Option<SeqNum>, effects: &mut Effects) {
        let (view, replica, payload) = (self.view, self.id(), self.config.reply_payload);
        let reply = self.signer.sign(Reply { view, timestamp, client, replica, result, read_at, payload });
        effects.event(Event::Replied { client, timestamp, result: Digest::of([result]) });
        effects.send(Recipients::One(client), Message::Reply(Arc::new(reply)));
    }
}
