//! The critical path of each request: on what its time went, from its issue to the acceptance of its result.
//!
//! It is followed backwards, from the reply that closed the client's quorum: each reaction of a node has a cause, the message or timer
//! that it reacted to, and each message was sent in an earlier reaction. Where that chain leaves the request, because a node did
//! something for it only when something else was out of the way (a batch before it was executed, a place in the pipeline became free),
//! the path goes on where the request itself stood at that node, and the time between is spent on order.
//!
//! What cannot be followed any further, down to the issue of the request, counts as order too, so that the parts always add up. A path
//! that does not begin at the client goes back to a timer that was set before the request was issued: that of a status, mostly.

use byzlab_adversary::Event;
use byzlab_analysis::{LatencyParts, Part, PartTimes};
use byzlab_network::{Cause, Happening, Journey, NodeId, Reaction, Record, Span, Stimulus, Time, Trail};
use byzlab_replica::{Digest, Event as ProtocolEvent, Message, MessageKind, SeqNum, VoteKind};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A client and the number of its request.
type RequestId = (NodeId, u64);

/// What is known of the requests of a run that are not accepted yet.
#[derive(Debug, Default)]
pub(crate) struct CriticalPaths {
    open: BTreeMap<RequestId, Open>,
    /// The same, by their issue.
    by_issue: BTreeSet<(Time, RequestId)>,
    /// Of the open requests.
    by_digest: BTreeMap<Digest, RequestId>,
    /// When each open request first came to a node.
    came: BTreeMap<(RequestId, NodeId), Cause>,
    /// What brought nodes forward at a place of the order, in the order of time: its proposal, and the votes that did something.
    steps: BTreeMap<(SeqNum, NodeId), Vec<Cause>>,
    /// Where nodes committed.
    committed: BTreeMap<(SeqNum, NodeId), (Time, Cause)>,
    /// At so many places those that are too old are looked for.
    many: usize,
    /// The time of the last event.
    now: Time,
}

#[derive(Debug)]
struct Open {
    issued: Time,
    digest: Digest,
    /// Where it was ordered last.
    seq: Option<SeqNum>,
}

/// An accepted request with what its time went on.
#[derive(Debug)]
pub(crate) struct Path {
    client: NodeId,
    timestamp: u64,
    issued: Time,
    accepted: Time,
    parts: PartTimes,
    prepare_from: Option<NodeId>,
    commit_from: Option<NodeId>,
    reply_from: Option<NodeId>,
    /// Where it begins: at the client, if it could be followed so far.
    origin: NodeId,
    /// From the end: what arrived, and where.
    hops: Vec<(MessageKind, NodeId)>,
}

impl CriticalPaths {
    /// Takes note of what happened in a window, and tells the paths of the requests that were accepted.
    pub(crate) fn follow(
        &mut self,
        records: &[Record<Message, Event>],
        trail: &Trail<'_, Message>,
        mut tell: impl FnMut(&Path),
    ) {
        // A request comes later than it was issued, and its issue is in an earlier window.
        for (cause, reaction) in trail.fresh() {
            let Stimulus::Message(Journey { message, .. }) = &reaction.to else { continue };
            match message {
                Message::Request(request) | Message::Read(request) => {
                    let id = (request.client, request.timestamp);
                    if self.open.contains_key(&id) {
                        self.came.entry((id, reaction.node)).or_insert(cause);
                    }
                }
                Message::PrePrepare(pre_prepare) => self.note_step(pre_prepare.vote.seq, reaction.node, cause),
                Message::Vote(vote) if vote.kind != VoteKind::Checkpoint => {
                    self.note_step(vote.seq, reaction.node, cause);
                }
                _ => {}
            }
        }
        for record in records {
            let Happening::Event(Event::Protocol(event)) = &record.what else { continue };
            match *event {
                ProtocolEvent::Request { timestamp, digest } => {
                    let id = (record.node, timestamp);
                    self.by_digest.insert(digest, id);
                    self.by_issue.insert((record.time, id));
                    self.open.insert(id, Open { issued: record.time, digest, seq: None });
                }
                ProtocolEvent::Ordered { seq, request, .. } => {
                    let open = self.by_digest.get(&request).and_then(|id| self.open.get_mut(id));
                    if let Some(open) = open {
                        open.seq = Some(seq);
                    }
                }
                ProtocolEvent::Committed(slot) => {
                    self.committed.entry((slot.seq, record.node)).or_insert((record.time, record.cause));
                }
                ProtocolEvent::Reply { timestamp, .. } => {
                    let id = (record.node, timestamp);
                    if let Some(open) = self.open.remove(&id) {
                        tell(&self.path(id, &open, record, trail));
                        self.by_issue.remove(&(open.issued, id));
                        self.forget(id, open.digest, trail);
                    }
                }
                _ => {}
            }
            self.now = record.time;
        }
    }

    fn note_step(&mut self, seq: SeqNum, node: NodeId, cause: Cause) {
        self.steps.entry((seq, node)).or_default().push(cause);
    }

    /// The issue of the oldest request that is still open: nothing before it matters.
    pub(crate) fn oldest(&self) -> Time {
        self.by_issue.first().map_or(self.now, |(issued, _)| *issued)
    }

    fn forget(&mut self, id: RequestId, digest: Digest, trail: &Trail<'_, Message>) {
        self.by_digest.remove(&digest);
        let nodes: Vec<NodeId> =
            self.came.range((id, NodeId(0))..=(id, NodeId(u16::MAX))).map(|((_, node), _)| *node).collect();
        for node in nodes {
            self.came.remove(&(id, node));
        }
        // Looked through whenever it has doubled: that costs little for each.
        if self.committed.len() + self.steps.len() >= self.many {
            let oldest = self.oldest();
            self.committed.retain(|_, (time, _)| *time >= oldest);
            self.steps.retain(|_, causes| {
                let last = causes.last().and_then(|&cause| trail.reaction(cause));
                last.is_some_and(|last| last.at >= oldest)
            });
            self.many = 2 * (self.committed.len() + self.steps.len()) + 1024;
        }
    }

    fn path(&self, id: RequestId, open: &Open, accepted: &Record<Message, Event>, trail: &Trail<'_, Message>) -> Path {
        let mut path = Path {
            client: id.0,
            timestamp: id.1,
            issued: open.issued,
            accepted: accepted.time,
            parts: PartTimes::default(),
            prepare_from: None,
            commit_from: None,
            reply_from: None,
            origin: id.0,
            hops: Vec::new(),
        };
        let mut walk = Walk { path: &mut path, until: accepted.time };
        let mut cause = accepted.cause;
        // Each step leads to an earlier reaction, or to one before it at the same instant.
        let mut seen = BTreeSet::new();
        while let Some(reaction) = trail.reaction(cause).filter(|_| !walk.is_over() && seen.insert(cause)) {
            walk.spend(Part::Order, reaction.at);
            if cause != accepted.cause && reaction.node == id.0 {
                walk.at_the_client(reaction, trail);
                break;
            }
            cause = match &reaction.to {
                _ if !concerns(reaction, id, open.seq) => match self.where_it_stood(id, open.seq, reaction, trail) {
                    Some(stood) => stood,
                    None => break,
                },
                Stimulus::Message(journey) => {
                    walk.along(journey, reaction, trail);
                    journey.cause
                }
                Stimulus::Wake(because) => {
                    let set = trail.reaction(*because).map_or(Time::START, |set| set.at);
                    // A timer that was set for others, or before the request was issued: the request waited for it from when it came.
                    let stood = self.where_it_stood(id, open.seq, reaction, trail).filter(|&stood| stood != cause);
                    let later = stood.filter(|&stood| trail.reaction(stood).is_some_and(|stood| stood.at > set));
                    let from = later.unwrap_or(*because);
                    walk.spend(Part::Timer, trail.reaction(from).map_or(open.issued, |since| since.at));
                    from
                }
            };
        }
        walk.spend(Part::Order, open.issued);
        path
    }

    /// The last that a node had done for a request before it reacted to something else.
    fn where_it_stood(
        &self,
        id: RequestId,
        seq: Option<SeqNum>,
        reaction: &Reaction<Message>,
        trail: &Trail<'_, Message>,
    ) -> Option<Cause> {
        let past = |&cause: &Cause| {
            trail.reaction(cause).is_some_and(|stood| stood.at <= reaction.at && concerns(stood, id, seq))
        };
        let place = seq.map(|seq| (seq, reaction.node));
        let committed = || place.and_then(|place| self.committed.get(&place)).map(|(_, cause)| *cause).filter(past);
        let steps = || place.and_then(|place| self.steps.get(&place)).into_iter().flatten();
        // A proposal that comes once more brings nobody forward.
        let step = || {
            let votes = steps().rev().copied().filter(past).find(|&cause| !is_proposal(trail, cause));
            votes.or_else(|| steps().copied().find(past))
        };
        let came = || self.came.get(&(id, reaction.node)).copied().filter(past);
        committed().or_else(step).or_else(came)
    }
}

fn is_proposal(trail: &Trail<'_, Message>, cause: Cause) -> bool {
    let reaction = trail.reaction(cause).map(|reaction| &reaction.to);
    matches!(reaction, Some(Stimulus::Message(Journey { message: Message::PrePrepare(_), .. })))
}

/// Whether a node reacted to something that has to do with a request: to itself, to a message for its place in the order, or to one of
/// those that bring a view or a state along. A timer may have to do with anything.
fn concerns(reaction: &Reaction<Message>, (client, timestamp): RequestId, seq: Option<SeqNum>) -> bool {
    let Stimulus::Message(Journey { message, .. }) = &reaction.to else { return true };
    match message {
        Message::Request(request) | Message::Read(request) => {
            (request.client, request.timestamp) == (client, timestamp)
        }
        Message::Reply(reply) => (reply.client, reply.timestamp) == (client, timestamp),
        Message::PrePrepare(pre_prepare) => Some(pre_prepare.vote.seq) == seq,
        Message::Vote(vote) => vote.kind != VoteKind::Checkpoint && Some(vote.seq) == seq,
        Message::ViewChange(_) | Message::NewView(_) | Message::Status(_) | Message::Fetch(_) | Message::State(_) => {
            true
        }
    }
}

/// A path that is being followed backwards.
struct Walk<'a> {
    path: &'a mut Path,
    /// What is later is accounted for.
    until: Time,
}

impl Walk<'_> {
    fn is_over(&self) -> bool {
        self.until <= self.path.issued
    }

    /// Spends the time from `since` until what is accounted for on a part.
    fn spend(&mut self, part: Part, since: Time) {
        let since = since.max(self.path.issued);
        self.path.parts[part] += self.until.since(since).as_nanos();
        self.until = self.until.min(since);
    }

    /// From a reaction to a message back to the one in which it was sent.
    fn along(&mut self, journey: &Journey<Message>, reaction: &Reaction<Message>, trail: &Trail<'_, Message>) {
        let kind = journey.message.kind();
        let (net, closes) = match kind {
            MessageKind::Request => (Part::NetRequest, None),
            MessageKind::PrePrepare => (Part::NetPrePrepare, None),
            MessageKind::Prepare => (Part::NetPrepare, Some(&mut self.path.prepare_from)),
            MessageKind::Commit => (Part::NetCommit, Some(&mut self.path.commit_from)),
            MessageKind::Reply => (Part::NetReply, Some(&mut self.path.reply_from)),
            _ => (Part::NetOther, None),
        };
        if let Some(closes) = closes {
            closes.get_or_insert(journey.from);
        }
        self.path.hops.push((kind, reaction.node));
        self.path.origin = journey.from;
        self.spend(Part::Cpu, journey.begun);
        self.spend(Part::CpuWait, journey.received);
        self.spend(Part::Queue, journey.arrived);
        let toll = journey.toll;
        let mut left = journey.sent;
        let mut after = |span: Span| {
            left = left + span;
            left
        };
        // In the order in which a message pays: it waits for the line, is put on it, and may be held up.
        let marks =
            [(Part::Queue, toll.queue), (Part::Transmission, toll.transmission), (Part::Recovery, toll.recovery)];
        let ends = marks.map(|(part, span)| (part, after(span)));
        self.spend(net, ends[2].1);
        self.spend(Part::Recovery, ends[1].1);
        self.spend(Part::Transmission, ends[0].1);
        self.spend(Part::Queue, journey.sent);
        if let Some(sender) = trail.reaction(journey.cause) {
            self.spend(Part::Cpu, sender.at);
        }
    }

    /// Back at the client: it sent the request at once, when its turn came, or again.
    fn at_the_client(&mut self, reaction: &Reaction<Message>, trail: &Trail<'_, Message>) {
        let mut reaction = reaction;
        while let Stimulus::Wake(because) = reaction.to {
            let Some(earlier) = trail.reaction(because).filter(|earlier| earlier.at >= self.path.issued) else { break };
            self.spend(Part::Timer, earlier.at);
            reaction = earlier;
        }
        self.spend(Part::ClientWait, self.path.issued);
    }
}

impl Path {
    /// Its row, with the text of the hops, which is written to `text`.
    pub(crate) fn row<'a>(&self, cell: u32, run: u32, text: &'a mut String) -> LatencyParts<'a> {
        text.clear();
        let _ = write!(text, "{}", self.origin);
        for (kind, node) in self.hops.iter().rev() {
            let _ = write!(text, " {kind} {node}");
        }
        let id = |node: NodeId| u32::from(node.0);
        LatencyParts {
            cell,
            run,
            client: id(self.client),
            seq: self.timestamp,
            issued_ns: self.issued.as_nanos(),
            accepted_ns: self.accepted.as_nanos(),
            parts: self.parts,
            prepare_from: self.prepare_from.map(id),
            commit_from: self.commit_from.map(id),
            reply_from: self.reply_from.map(id),
            path: text,
        }
    }
}
