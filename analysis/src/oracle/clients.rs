//! I3 and I5: what clients ask for, and what they are told.

use std::collections::{BTreeMap, VecDeque};

use crate::event::{Event, EventKind, Value};

use super::Invariant;
use super::context::{Context, evidence};
use super::digests::RecentDigests;
use super::history::{Fact, History, OrderedRequest, Proposal};

/// All clients, their requests that are under way, and the digests of all requests there were.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    by_node: BTreeMap<u32, Client>,
    /// The number of each request that is under way, by client and digest.
    numbers: BTreeMap<(u32, u64), u64>,
    /// The requests that clients issued last. A liar may propose an old one again at any time, so what is forgotten proves nothing.
    issued: RecentDigests,
    /// How many requests were executed of which it is forgotten whether they were issued.
    undecided: usize,
    /// The accepted request that comes last in the order, and that of before the instant at which it was accepted.
    last: Option<Accepted>,
    last_before: Option<Accepted>,
    /// The proposal whose requests are being listed.
    listing: Option<Listing>,
    /// Whether replies can be seen, without which only the order of accepted requests can be judged.
    sees_replies: bool,
    /// Whether a result may come from elsewhere than where its request was ordered.
    unordered_reads: bool,
    /// Replies that may turn out to be covered at the end of the instant.
    uncovered: Vec<Uncovered>,
    spare: Vec<Vec<HonestReply>>,
}

#[derive(Clone, Debug, Default)]
struct Client {
    is_corrupted: bool,
    has_crashed: bool,
    /// The highest request number so far.
    highest: Option<u64>,
    /// Those under way, in the order of their numbers.
    requests: VecDeque<Request>,
    /// The accepted one of its own that comes last in the order.
    last: Option<Accepted>,
}

/// A request that is under way.
#[derive(Clone, Debug)]
struct Request {
    number: u64,
    digest: u64,
    issued_ns: u64,
    /// What was accepted before it was issued, or by its client before it was sent: it must come behind.
    behind: Option<Accepted>,
    /// Where it was executed, and whether for good.
    position: Option<(u64, bool)>,
    /// What honest replicas answered, a result each.
    replies: Vec<HonestReply>,
}

#[derive(Clone, Copy, Debug)]
struct HonestReply {
    result: u64,
    /// The first that gave it.
    node: u32,
    time_ns: u64,
    /// The least that one who gave it had executed.
    executed: u64,
    /// Whether one who gave it had executed all that it must come behind.
    is_covered: bool,
}

/// An accepted request and its place in the order.
#[derive(Clone, Copy, Debug)]
struct Accepted {
    position: u64,
    time_ns: u64,
    client: u32,
    number: u64,
    digest: u64,
}

#[derive(Clone, Copy, Debug)]
struct Listing {
    node: u32,
    view: u64,
    seq: u64,
    /// Whether the batch is a new one.
    is_new: bool,
}

#[derive(Clone, Copy, Debug)]
struct Uncovered {
    client: u32,
    number: u64,
    result: u64,
    node: u32,
}

/// A request of an honest client that waits for its result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) client: u32,
    pub(super) number: u64,
    pub(super) digest: u64,
    pub(super) issued_ns: u64,
}

impl Waiting {
    /// The row that issued it.
    pub(super) fn row(&self, context: &Context) -> Event<'static> {
        let row = context.row(self.issued_ns, self.client, EventKind::Request);
        Event { seq: Some(self.number), digest: Some(self.digest), ..row }
    }
}

impl Accepted {
    fn row(&self, context: &Context) -> Event<'static> {
        let row = context.row(self.time_ns, self.client, EventKind::Reply);
        Event { seq: Some(self.number), digest: Some(self.digest), ..row }
    }
}

impl Clients {
    pub(super) fn new(sees_replies: bool, unordered_reads: bool) -> Self {
        Self {
            by_node: BTreeMap::new(),
            numbers: BTreeMap::new(),
            issued: RecentDigests::new(),
            undecided: 0,
            last: None,
            last_before: None,
            listing: None,
            sees_replies,
            unordered_reads,
            uncovered: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// From here on the client may say anything.
    pub(super) fn corrupt(&mut self, node: u32) {
        let client = self.by_node.entry(node).or_default();
        client.is_corrupted = true;
        client.requests.clear();
        self.numbers.retain(|&(client, _), _| client != node);
    }

    /// Whether every request was accepted that was ever issued, so that nobody waits for anything. Where that cannot be known it is false.
    pub(super) fn all_are_served(&self) -> bool {
        let is_served = |client: &Client| !client.is_corrupted && client.requests.is_empty();
        !self.unordered_reads && !self.by_node.is_empty() && self.by_node.values().all(is_served)
    }

    /// Its requests are not waited for any more.
    pub(super) fn crash(&mut self, node: u32) {
        self.by_node.entry(node).or_default().has_crashed = true;
    }

    /// A client issues a request.
    pub(super) fn issue(&mut self, context: &Context, node: u32, number: u64, digest: u64) {
        self.issued.insert(key(node, digest));
        let client = self.by_node.entry(node).or_default();
        // One that is sent again is not a new one.
        if client.is_corrupted || client.highest.is_some_and(|highest| number <= highest) {
            return;
        }
        client.highest = Some(number);
        let now_ns = context.now_ns;
        let behind = match self.last {
            Some(last) if last.time_ns < now_ns => Some(last),
            // What others accept at this very instant is concurrent.
            _ => self.last_before,
        };
        let behind = behind.into_iter().chain(client.last).max_by_key(|accepted| accepted.position);
        let replies = self.spare.pop().unwrap_or_default();
        client.requests.push_back(Request { number, digest, issued_ns: now_ns, behind, position: None, replies });
        self.numbers.insert((node, digest), number);
    }

    /// Somebody proposes a batch; rows with its requests follow.
    pub(super) fn propose(
        &mut self,
        context: &Context,
        history: &mut History,
        node: u32,
        (view, seq, digest): (u64, u64, u64),
    ) {
        // A liar may name any number; honest replicas take none so far away.
        let is_possible = history.is_near(seq) || !context.is_faulty(node as usize);
        let number = if is_possible { history.number(seq) } else { None };
        let new = number.filter(|number| number.proposal(digest).is_none());
        self.listing = Some(Listing { node, view, seq, is_new: new.is_some() });
        if let Some(number) = new {
            number.add_proposal(Proposal::new(digest, node, view, context.now_ns));
        }
    }

    /// A request of the batch just proposed; false if there is none.
    pub(super) fn list(
        &mut self,
        history: &mut History,
        (node, view, seq): (u32, u64, u64),
        request: OrderedRequest,
    ) -> bool {
        let of_batch = |listing: &Listing| (listing.node, listing.view, listing.seq) == (node, view, seq);
        let Some(listing) = self.listing.filter(of_batch) else { return false };
        if listing.is_new
            && let Some(number) = history.number(seq)
        {
            number.add_request(request);
        }
        true
    }

    /// I3 for a batch that an honest replica executed, and where its requests stand in the order.
    pub(super) fn examine(
        &mut self,
        context: &mut Context,
        history: &mut History,
        seq: u64,
        fact: &Fact,
        is_firm: bool,
    ) {
        let Some(number) = history.number(seq) else { return };
        if number.examined == Some((fact.digest, true)) {
            return;
        }
        number.examined = Some((fact.digest, is_firm));
        // The null request of a new view.
        if fact.digest == 0 {
            return;
        }
        let Some(proposal) = number.proposal(fact.digest) else {
            let (node, digest) = (fact.node, fact.digest);
            context.report(
                Invariant::I3,
                format_args!("replica {node} executed {digest:016x} at number {seq}, which nobody proposed there"),
                &[fact.row(context, seq)],
            );
            return;
        };
        for &request in number.requests(proposal) {
            let OrderedRequest { client, digest } = request;
            let is_corrupted = || self.by_node.get(&client).is_some_and(|client| client.is_corrupted);
            match self.issued.knows(key(client, digest)) {
                Some(true) => {}
                _ if self.numbers.contains_key(&(client, digest)) || is_corrupted() => {}
                Some(false) => forged(context, proposal, request, seq, fact),
                None => self.undecided += 1,
            }
            if let Some(&number) = self.numbers.get(&(client, digest))
                && let Some(request) = self.by_node.get_mut(&client).and_then(|client| client.request(number))
            {
                request.position = match request.position {
                    Some((first, true)) if !is_firm || first <= seq => request.position,
                    Some((_, false)) if !is_firm => request.position,
                    _ => Some((seq, is_firm)),
                };
            }
        }
    }

    /// An honest replica answers a request. `executed` is the last number that it has executed, for good or not.
    pub(super) fn answer(
        &mut self,
        context: &Context,
        node: u32,
        (client, number): (u32, u64),
        result: u64,
        executed: u64,
    ) {
        let request = self.by_node.get_mut(&client).and_then(|client| client.request(number));
        let Some(request) = request else { return };
        let is_covered = request.behind.is_none_or(|behind| executed >= behind.position);
        if !is_covered {
            self.uncovered.push(Uncovered { client, number, result, node });
        }
        if let Some(reply) = request.replies.iter_mut().find(|reply| reply.result == result) {
            reply.executed = reply.executed.min(executed);
            reply.is_covered |= is_covered;
        } else {
            request.replies.push(HonestReply { result, node, time_ns: context.now_ns, executed, is_covered });
        }
    }

    /// Whether some replies wait for the end of the instant.
    #[inline]
    pub(super) fn is_unsettled(&self) -> bool {
        !self.uncovered.is_empty()
    }

    /// At the end of an instant: what a replica executed in it stands behind its replies, whichever row comes first.
    #[cold]
    pub(super) fn settle(&mut self, executed: impl Fn(usize) -> u64) {
        for Uncovered { client, number, result, node } in self.uncovered.drain(..) {
            let request = self.by_node.get_mut(&client).and_then(|client| client.request(number));
            let Some(request) = request else { continue };
            let Some(behind) = request.behind else { continue };
            if executed(node as usize) >= behind.position
                && let Some(reply) = request.replies.iter_mut().find(|reply| reply.result == result)
            {
                reply.is_covered = true;
            }
        }
    }

    /// A client accepts a result: the request that it waited for, if it is honest and had one.
    pub(super) fn accept(
        &mut self,
        context: &mut Context,
        event: &Event<'_>,
        number: u64,
        result: u64,
    ) -> Option<Waiting> {
        let client = self.by_node.get_mut(&event.node).filter(|client| !client.is_corrupted)?;
        let has_crashed = client.has_crashed;
        let index = client.requests.binary_search_by_key(&number, |request| request.number).ok()?;
        let mut request = client.requests.remove(index)?;
        self.numbers.remove(&(event.node, request.digest));
        let Request { digest, issued_ns, .. } = request;
        let waiting = Waiting { client: event.node, number, digest, issued_ns };
        let reply = request.replies.iter().find(|reply| reply.result == result).copied();
        let row = evidence(event);
        if self.unordered_reads {
            // All who gave the result had executed the request where it was ordered; else it was read.
            request.position.take_if(|(place, _)| reply.is_none_or(|reply| reply.executed < *place));
        }
        if self.sees_replies {
            check_result(context, &request, &waiting, reply, row);
        }
        let position = request.position.map(|(position, _)| position);
        if let (Some(position), Some(behind)) = (position, request.behind)
            && position < behind.position
        {
            overtaken(context, &waiting, position, behind, row);
        }
        // A result that was only read comes from at least so far down the order.
        if let Some(position) = position.or(reply.map(|reply| reply.executed)) {
            let accepted = Accepted { position, time_ns: context.now_ns, client: event.node, number, digest };
            let own = client.last.get_or_insert(accepted);
            if own.position < position {
                *own = accepted;
            }
            // In an open loop the client's next request was issued before, and is sent only now.
            if let Some(next) = client.requests.get_mut(index)
                && next.behind.is_none_or(|behind| behind.position < own.position)
            {
                next.behind = Some(*own);
            }
            self.note_accepted(accepted);
        }
        request.replies.clear();
        self.spare.push(request.replies);
        (!has_crashed).then_some(waiting)
    }

    fn note_accepted(&mut self, accepted: Accepted) {
        match self.last {
            Some(last) if last.position >= accepted.position => {}
            last => {
                if last.is_some_and(|last| last.time_ns < accepted.time_ns) {
                    self.last_before = last;
                }
                self.last = Some(accepted);
            }
        }
    }

    /// The requests of honest clients that wait for their results.
    pub(super) fn waiting(&self) -> impl Iterator<Item = Waiting> + '_ {
        let honest = self.by_node.iter().filter(|(_, client)| !client.is_corrupted && !client.has_crashed);
        honest.flat_map(|(&client, state)| {
            state.requests.iter().map(move |request| {
                let Request { number, digest, issued_ns, .. } = *request;
                Waiting { client, number, digest, issued_ns }
            })
        })
    }

    /// Why it cannot be said that all executed requests were issued.
    pub(super) fn reason(&self) -> Option<String> {
        let Self { undecided, .. } = self;
        let kept = RecentDigests::KEPT;
        (*undecided > 0)
            .then(|| format!("{undecided} executed requests may be older than the last {kept}, which are remembered"))
    }

    /// How many requests are under way, and how many are remembered.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.numbers.len(), self.issued.len())
    }
}

impl Client {
    fn request(&mut self, number: u64) -> Option<&mut Request> {
        // Nearly always the only one.
        if self.requests.len() == 1 {
            return self.requests.front_mut().filter(|request| request.number == number);
        }
        let index = self.requests.binary_search_by_key(&number, |request| request.number).ok()?;
        self.requests.get_mut(index)
    }
}

/// One word for a client's request.
fn key(client: u32, digest: u64) -> u64 {
    digest ^ u64::from(client).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cold]
fn forged(context: &mut Context, proposal: &Proposal, request: OrderedRequest, seq: u64, fact: &Fact) {
    let OrderedRequest { client, digest } = request;
    let at = |kind| (proposal.time_ns, proposal.node, kind);
    let propose = context.slot_row(at(EventKind::Propose), (proposal.view, seq, proposal.digest));
    let ordered = context.slot_row(at(EventKind::Ordered), (proposal.view, seq, digest));
    let rows = [propose, Event { peer: Some(client), ..ordered }, fact.row(context, seq)];
    let node = fact.node;
    context.report(
        Invariant::I3,
        format_args!(
            "replica {node} executed number {seq} with a request {digest:016x} that client {client}, honest, never issued"
        ),
        &rows,
    );
}

/// I5: the result is an honest replica's, and not older than what had been accepted before.
fn check_result(
    context: &mut Context,
    request: &Request,
    waiting: &Waiting,
    reply: Option<HonestReply>,
    row: Event<'static>,
) {
    let (client, number) = (waiting.client, waiting.number);
    let Some(reply) = reply else {
        context.report(
            Invariant::I5,
            format_args!("client {client} accepted a result of its request {number} that no honest replica gave"),
            &[waiting.row(context), row],
        );
        return;
    };
    if let (None, Some(behind), false) = (request.position, request.behind, reply.is_covered) {
        let send = context.row(reply.time_ns, reply.node, EventKind::Send);
        let send = Event { seq: Some(number), peer: Some(client), message: Some("reply"), ..send };
        let send = Event { value: Some(Value::Digest(reply.result)), ..send };
        let rows = [behind.row(context), waiting.row(context), send, row];
        context.report(
            Invariant::I5,
            format_args!(
                "client {client} read a state older than number {}, whose result had been accepted before it asked",
                behind.position
            ),
            &rows,
        );
    }
}

#[cold]
fn overtaken(context: &mut Context, waiting: &Waiting, position: u64, behind: Accepted, row: Event<'static>) {
    let rows = [behind.row(context), waiting.row(context), row];
    let (client, number) = (waiting.client, waiting.number);
    context.report(
        Invariant::I5,
        format_args!(
            "request {number} of client {client} took effect at number {position}, before number {}, whose result had been \
             accepted before it was sent",
            behind.position
        ),
        &rows,
    );
}
