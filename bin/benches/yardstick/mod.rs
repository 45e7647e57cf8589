//! The yardstick: the normal case of PBFT in a plain discrete-event simulator, without actors, windows or logs.
//!
//! One binary heap holds every message under way, ordered by time and then by the order of sending. Its messages are as many
//! as byzlab's, each is small and `Copy`, and what is large (the requests) lies in a table of the run. The rules are those
//! of the protocol: quorums of distinct senders kept as bitsets, votes kept even before their pre-prepare, execution in order,
//! checkpoints, a log of fixed length that they clear, and clients that wait for f+1 matching replies.
//!
//! It has no views, since nothing here ever changes one; no timers, since nothing is ever lost; and one stream of random numbers
//! for all latencies. It judges nothing and records nothing: what byzlab does there is part of byzlab's price.

use byzlab_network::random::Draw;
use byzlab_network::{Key, Latency, Span, Time};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

/// K: a checkpoint each so many sequence numbers.
const CHECKPOINT_INTERVAL: u32 = 100;
/// L: how far beyond the last stable checkpoint numbers may be assigned.
const LOG_WINDOW: u32 = 400;
/// Nobody lies, so the primary of view 0 stays the primary.
const PRIMARY: u16 = 0;

/// What is simulated.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) replicas: u16,
    pub(crate) clients: u16,
    /// How many requests each client makes, one after the other.
    pub(crate) requests: u32,
    pub(crate) latency: Latency,
    pub(crate) seed: u64,
}

/// What a run comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    /// Messages sent, one for each recipient.
    pub(crate) messages: u64,
    /// When the last replica had executed the last request.
    pub(crate) ended: Time,
}

/// How many messages the normal case takes: for each request 1 request, n−1 pre-prepares, (n−1)² prepares, n(n−1) commits and
/// n replies, and for each checkpoint n(n−1).
pub(crate) fn message_count(replicas: u16, requests: u64) -> u64 {
    let n = u64::from(replicas);
    let a_request = 1 + (n - 1) + (n - 1) * (n - 1) + n * (n - 1) + n;
    requests * a_request + requests / u64::from(CHECKPOINT_INTERVAL) * n * (n - 1)
}

/// Runs the closed loop until every request is accepted by its client and executed by every replica.
pub(crate) fn simulate(setting: &Setting) -> Outcome {
    let &Setting { replicas, clients, requests, .. } = setting;
    let total = u32::from(clients) * requests;
    let cluster = Cluster::new(replicas);
    let mut network = Network::new(setting);
    let mut table = Vec::with_capacity(total as usize);
    let mut servers: Vec<Replica> = (0..replicas).map(|id| Replica::new(id, cluster, clients)).collect();
    let mut users: Vec<Client> = (0..clients).map(|index| Client::new(replicas + index, cluster, requests)).collect();

    for user in &mut users {
        user.next_request(&mut table, &mut network);
    }
    let (mut accepted, mut executed) = (0, 0);
    let everything = u64::from(total) * u64::from(replicas);
    while let Some(Event { from, to, message, .. }) = network.next() {
        if let Some(server) = servers.get_mut(usize::from(to)) {
            executed += u64::from(server.receive(from, message, &table, &mut network));
        } else {
            let user = &mut users[usize::from(to - replicas)];
            accepted += u32::from(user.receive(from, message, &mut table, &mut network));
        }
        if accepted == total && executed == everything {
            break;
        }
    }
    assert_eq!((accepted, executed), (total, everything), "every request is accepted, and executed everywhere");
    assert!(servers.windows(2).all(|pair| pair[0].state == pair[1].state), "equal logs lead to equal states");
    assert_eq!(network.sent, message_count(replicas, u64::from(total)), "the normal case has this many messages");
    Outcome { messages: network.sent, ended: network.now }
}

/// The sizes that votes are compared with.
#[derive(Clone, Copy)]
struct Cluster {
    replicas: u16,
    /// ⌈(n+f+1)/2⌉.
    quorum: u16,
    /// f+1.
    weak_quorum: u16,
}

impl Cluster {
    fn new(replicas: u16) -> Cluster {
        let faults = (replicas - 1) / 3;
        Cluster { replicas, quorum: (replicas + faults + 1).div_ceil(2), weak_quorum: faults + 1 }
    }
}

/// A client's request. Messages name it by its place in the table of the run.
#[derive(Clone, Copy)]
struct Request {
    client: u16,
    timestamp: u32,
    operation: u64,
}

impl Request {
    fn digest(&self) -> u64 {
        mix(mix(u64::from(self.client) << 32 | u64::from(self.timestamp)) ^ self.operation)
    }
}

#[derive(Clone, Copy)]
enum Message {
    Request { request: u32 },
    PrePrepare { seq: u32, request: u32 },
    Prepare { seq: u32, digest: u64 },
    Commit { seq: u32, digest: u64 },
    Checkpoint { seq: u32, digest: u64 },
    Reply { timestamp: u32, result: u64 },
}

/// The arrival of a message.
#[derive(Clone, Copy)]
struct Event {
    time: Time,
    sequence: u64,
    from: u16,
    to: u16,
    message: Message,
}

/// The greatest is the earliest, and of those the one that was sent first: `BinaryHeap` gives the greatest.
impl Ord for Event {
    fn cmp(&self, other: &Event) -> Ordering {
        (other.time, other.sequence).cmp(&(self.time, self.sequence))
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Event) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Event) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Event {}

/// Time, and everything under way.
struct Network {
    events: BinaryHeap<Event>,
    latency: Latency,
    draw: Draw,
    replicas: u16,
    now: Time,
    sent: u64,
}

impl Network {
    fn new(setting: &Setting) -> Network {
        Network {
            events: BinaryHeap::new(),
            latency: setting.latency.clone(),
            draw: Key::root(setting.seed).draw(),
            replicas: setting.replicas,
            now: Time::START,
            sent: 0,
        }
    }

    fn send(&mut self, from: u16, to: u16, message: Message) {
        // As in byzlab, a message takes at least a nanosecond.
        let delay = self.latency.sample(&mut self.draw).max(Span::NANOSECOND);
        self.events.push(Event { time: self.now + delay, sequence: self.sent, from, to, message });
        self.sent += 1;
    }

    fn send_to_others(&mut self, from: u16, message: Message) {
        for to in (0..self.replicas).filter(|&to| to != from) {
            self.send(from, to, message);
        }
    }

    fn next(&mut self) -> Option<Event> {
        let event = self.events.pop()?;
        self.now = event.time;
        Some(event)
    }
}

/// A set of replicas: a bit each.
#[derive(Clone, Default)]
struct Voters {
    words: Vec<u64>,
    count: u16,
}

impl Voters {
    /// Adds a voter; who votes twice counts once.
    fn insert(&mut self, voter: u16, replicas: u16) -> u16 {
        if self.words.is_empty() {
            self.words.resize(usize::from(replicas).div_ceil(64), 0);
        }
        let (word, bit) = (&mut self.words[usize::from(voter / 64)], 1 << (voter % 64));
        self.count += u16::from(*word & bit == 0);
        *word |= bit;
        self.count
    }

    fn clear(&mut self) {
        self.words.fill(0);
        self.count = 0;
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Phase {
    #[default]
    Empty,
    PrePrepared,
    Prepared,
    Committed,
}

/// What a replica knows of one sequence number. Its buffers are used again for a later one.
#[derive(Clone, Default)]
struct Slot {
    phase: Phase,
    /// The digest that the first message named. Nobody lies, so another one is a bug.
    digest: Option<u64>,
    request: u32,
    prepares: Voters,
    commits: Voters,
}

impl Slot {
    fn expect(&mut self, digest: u64) {
        assert_eq!(*self.digest.get_or_insert(digest), digest, "an honest cluster votes for one digest");
    }

    fn clear(&mut self) {
        self.phase = Phase::Empty;
        self.digest = None;
        self.prepares.clear();
        self.commits.clear();
    }
}

/// The last request of a client that took effect, with its result, and the last that was put in line.
#[derive(Clone, Copy, Default)]
struct ClientRecord {
    executed: u32,
    result: u64,
    accepted: u32,
}

struct Replica {
    id: u16,
    cluster: Cluster,
    /// The ring of the window (h, h+L].
    slots: Vec<Slot>,
    /// h: the last stable checkpoint.
    low: u32,
    last_executed: u32,
    /// A running sum is the service.
    sum: u64,
    /// The digest of the state.
    state: u64,
    clients: Vec<ClientRecord>,
    /// Checkpoints above h: their number, digest and voters.
    checkpoints: Vec<(u32, u64, Voters)>,
    /// As primary: the last number that was assigned, and the requests that wait for one.
    last_assigned: u32,
    waiting: VecDeque<u32>,
}

impl Replica {
    fn new(id: u16, cluster: Cluster, clients: u16) -> Replica {
        Replica {
            id,
            cluster,
            slots: vec![Slot::default(); LOG_WINDOW as usize],
            low: 0,
            last_executed: 0,
            sum: 0,
            state: 0,
            clients: vec![ClientRecord::default(); usize::from(clients)],
            checkpoints: Vec::new(),
            last_assigned: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Reacts to a message, and tells how many requests it executed.
    fn receive(&mut self, from: u16, message: Message, table: &[Request], network: &mut Network) -> u32 {
        let before = self.last_executed;
        match message {
            Message::Request { request } => self.on_request(request, table, network),
            Message::PrePrepare { seq, request } => self.on_pre_prepare(from, seq, request, table, network),
            Message::Prepare { seq, digest } => self.on_prepare(from, seq, digest, table, network),
            Message::Commit { seq, digest } => self.on_commit(from, seq, digest, table, network),
            Message::Checkpoint { seq, digest } => self.on_checkpoint(from, seq, digest),
            Message::Reply { .. } => {}
        }
        self.last_executed - before
    }

    fn slot(&mut self, seq: u32) -> Option<&mut Slot> {
        let in_window = seq > self.low && seq - self.low <= LOG_WINDOW;
        in_window.then(|| &mut self.slots[(seq % LOG_WINDOW) as usize])
    }

    fn on_request(&mut self, request: u32, table: &[Request], network: &mut Network) {
        let Request { client, timestamp, .. } = table[request as usize];
        let record = &mut self.clients[usize::from(client - self.cluster.replicas)];
        if timestamp == record.executed {
            let result = record.result;
            network.send(self.id, client, Message::Reply { timestamp, result });
        }
        if self.id != PRIMARY || timestamp <= record.accepted {
            return;
        }
        record.accepted = timestamp;
        self.waiting.push_back(request);
        self.propose(table, network);
    }

    /// Assigns numbers as far as the window allows.
    fn propose(&mut self, table: &[Request], network: &mut Network) {
        while self.last_assigned < self.low + LOG_WINDOW {
            let Some(request) = self.waiting.pop_front() else { return };
            self.last_assigned += 1;
            let seq = self.last_assigned;
            network.send_to_others(self.id, Message::PrePrepare { seq, request });
            self.accept(seq, request, table);
            self.advance(seq, table, network);
        }
    }

    /// Accepts a pre-prepare, unless one was accepted or the number lies outside the window.
    fn accept(&mut self, seq: u32, request: u32, table: &[Request]) -> Option<u64> {
        let slot = self.slot(seq).filter(|slot| slot.phase == Phase::Empty)?;
        let digest = table[request as usize].digest();
        slot.expect(digest);
        slot.request = request;
        slot.phase = Phase::PrePrepared;
        Some(digest)
    }

    fn on_pre_prepare(&mut self, from: u16, seq: u32, request: u32, table: &[Request], network: &mut Network) {
        if from != PRIMARY || self.id == PRIMARY {
            return;
        }
        let Some(digest) = self.accept(seq, request, table) else { return };
        network.send_to_others(self.id, Message::Prepare { seq, digest });
        let (id, replicas) = (self.id, self.cluster.replicas);
        if let Some(slot) = self.slot(seq) {
            slot.prepares.insert(id, replicas);
        }
        self.advance(seq, table, network);
    }

    fn on_prepare(&mut self, from: u16, seq: u32, digest: u64, table: &[Request], network: &mut Network) {
        let Cluster { replicas, quorum, .. } = self.cluster;
        let Some(slot) = self.slot(seq).filter(|slot| slot.phase < Phase::Prepared && from != PRIMARY) else { return };
        slot.expect(digest);
        if slot.prepares.insert(from, replicas) >= quorum - 1 {
            self.advance(seq, table, network);
        }
    }

    fn on_commit(&mut self, from: u16, seq: u32, digest: u64, table: &[Request], network: &mut Network) {
        let Cluster { replicas, quorum, .. } = self.cluster;
        let Some(slot) = self.slot(seq).filter(|slot| slot.phase < Phase::Committed) else { return };
        slot.expect(digest);
        if slot.commits.insert(from, replicas) >= quorum {
            self.advance(seq, table, network);
        }
    }

    /// Takes a number as far as its votes carry it: prepared, committed, executed.
    fn advance(&mut self, seq: u32, table: &[Request], network: &mut Network) {
        let (id, Cluster { replicas, quorum, .. }) = (self.id, self.cluster);
        let Some(slot) = self.slot(seq) else { return };
        if slot.phase == Phase::PrePrepared && slot.prepares.count >= quorum - 1 {
            slot.phase = Phase::Prepared;
            slot.commits.insert(id, replicas);
            if let Some(digest) = slot.digest {
                network.send_to_others(id, Message::Commit { seq, digest });
            }
        }
        if slot.phase == Phase::Prepared && slot.commits.count >= quorum {
            slot.phase = Phase::Committed;
            self.execute_committed(table, network);
        }
    }

    /// Executes what is committed, strictly in order.
    fn execute_committed(&mut self, table: &[Request], network: &mut Network) {
        loop {
            let seq = self.last_executed + 1;
            let Some(slot) = self.slot(seq).filter(|slot| slot.phase == Phase::Committed) else { break };
            let request = table[slot.request as usize];
            self.last_executed = seq;
            self.execute(request, network);
            if seq.is_multiple_of(CHECKPOINT_INTERVAL) {
                let digest = self.state;
                network.send_to_others(self.id, Message::Checkpoint { seq, digest });
                self.on_checkpoint(self.id, seq, digest);
            }
        }
        if self.id == PRIMARY {
            self.propose(table, network);
        }
    }

    fn execute(&mut self, request: Request, network: &mut Network) {
        let Request { client, timestamp, operation } = request;
        let record = &mut self.clients[usize::from(client - self.cluster.replicas)];
        if timestamp <= record.executed {
            return;
        }
        self.sum = self.sum.wrapping_add(operation);
        let result = self.sum;
        *record = ClientRecord { executed: timestamp, result, ..*record };
        // All clients' requests and results go into the digest of the state.
        self.state = mix(mix(self.state ^ request.digest()) ^ result);
        network.send(self.id, client, Message::Reply { timestamp, result });
    }

    fn on_checkpoint(&mut self, from: u16, seq: u32, digest: u64) {
        if seq <= self.low {
            return;
        }
        let Cluster { replicas, quorum, .. } = self.cluster;
        let known = self.checkpoints.iter().position(|&(other, voted, _)| (other, voted) == (seq, digest));
        let index = known.unwrap_or_else(|| {
            self.checkpoints.push((seq, digest, Voters::default()));
            self.checkpoints.len() - 1
        });
        let votes = self.checkpoints[index].2.insert(from, replicas);
        if votes < quorum || seq > self.last_executed {
            return;
        }
        for passed in self.low + 1..=seq {
            self.slots[(passed % LOG_WINDOW) as usize].clear();
        }
        self.low = seq;
        self.checkpoints.retain(|&(other, ..)| other > seq);
    }
}

struct Client {
    id: u16,
    cluster: Cluster,
    requests: u32,
    /// The number of its last request.
    timestamp: u32,
    pending: bool,
    /// Results of the last request, with who sent them.
    answers: Vec<(u64, Voters)>,
}

impl Client {
    fn new(id: u16, cluster: Cluster, requests: u32) -> Client {
        Client { id, cluster, requests, timestamp: 0, pending: false, answers: Vec::new() }
    }

    fn next_request(&mut self, table: &mut Vec<Request>, network: &mut Network) {
        if self.timestamp == self.requests {
            return;
        }
        self.timestamp += 1;
        self.pending = true;
        self.answers.clear();
        let operation = mix(u64::from(self.id) << 32 | u64::from(self.timestamp));
        let request = table.len() as u32;
        table.push(Request { client: self.id, timestamp: self.timestamp, operation });
        network.send(self.id, PRIMARY, Message::Request { request });
    }

    /// Reacts to a message, and tells whether it accepted a result.
    fn receive(&mut self, from: u16, message: Message, table: &mut Vec<Request>, network: &mut Network) -> bool {
        let Message::Reply { timestamp, result } = message else { return false };
        if !self.pending || timestamp != self.timestamp {
            return false;
        }
        let known = self.answers.iter().position(|&(other, _)| other == result);
        let index = known.unwrap_or_else(|| {
            self.answers.push((result, Voters::default()));
            self.answers.len() - 1
        });
        if self.answers[index].1.insert(from, self.cluster.replicas) < self.cluster.weak_quorum {
            return false;
        }
        self.pending = false;
        self.next_request(table, network);
        true
    }
}

/// The finaliser of `SplitMix64`.
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}
