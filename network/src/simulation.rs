//! A run: processes at seats, the router between them, all of them actors of one actix [`System`] on one thread.

use crate::bandwidth::{Bandwidth, LineIn};
use crate::link::NetworkModel;
use crate::node::{Arrival, Event, Happening, Message, NodeId, Outbox, Process, Record};
use crate::powers::{Errand, Luggage, Powers};
use crate::random::Key;
use crate::router::{Ending, Next, Observer, Parcel, Parcels, Router, RouterOptions, SizeOf, Traffic, Verdict};
use crate::station::{Machine, Station};
use crate::time::Time;
use actix::prelude::*;
use std::any::Any;
use std::cell::RefCell;
use std::num::NonZeroU16;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use tokio::sync::oneshot;

/// A run that is being put together.
///
/// ```
/// # use byzlab_network::*;
/// #[derive(Clone)]
/// struct Ball;
/// impl Message for Ball {
///     fn size(&self) -> u64 { 1 }
/// }
/// struct Player;
/// impl Process<Ball, ()> for Player {
///     fn receive(&mut self, ball: Arrival<Ball>, out: &mut Outbox<Ball, ()>) {
///         out.send(ball.time, ball.to(), Recipients::One(ball.from()), ball.message);
///     }
///     fn wake(&mut self, _: Time, _: &mut Outbox<Ball, ()>) {}
///     fn next_wake(&self) -> Option<Time> { None }
/// }
/// struct Server(bool);
/// impl Process<Ball, ()> for Server {
///     fn receive(&mut self, _: Arrival<Ball>, _: &mut Outbox<Ball, ()>) {}
///     fn wake(&mut self, now: Time, out: &mut Outbox<Ball, ()>) {
///         self.0 = false;
///         out.send(now, NodeId(0), Recipients::One(NodeId(1)), Ball);
///     }
///     fn next_wake(&self) -> Option<Time> { self.0.then_some(Time::START) }
/// }
/// let network = NetworkModel::perfect(Latency::constant(Span::from_millis(10)));
/// let mut simulation = Simulation::new(network, Key::root(1));
/// simulation.seat(&[NodeId(0)], Server(true));
/// simulation.seat(&[NodeId(1)], Player);
/// let report = simulation.run().unwrap();
/// assert_eq!((report.ending, report.traffic.messages), (Ending::Quiet, 2));
/// ```
pub struct Simulation<M: Message, E: Event> {
    model: NetworkModel,
    run: Key,
    time_limit: Time,
    log_messages: bool,
    keep_causes: bool,
    cores: Option<NonZeroU16>,
    observer: Box<dyn Observer<M, E>>,
    sizes: Option<SizeOf<M>>,
    seats: Vec<Starter<M, E>>,
    seat_of: Vec<Option<usize>>,
}

/// A process that has no actor yet. It is kept as a closure so that each actor knows the type of its process.
struct Starter<M: Message, E: Event> {
    powers: Powers,
    wake_at: Option<Time>,
    start: Box<StartActor<M, E>>,
}

/// With the machines of its nodes, if they are limited.
type StartActor<M, E> = dyn FnOnce(SharedTable<M, E>, Option<Vec<Machine<M>>>) -> Recipient<Deliver<M, E>>;

/// What a run leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Why it ended.
    pub ending: Ending,
    /// What went over the network.
    pub traffic: Traffic,
    /// The virtual time at which it ended.
    pub ended: Time,
}

/// Why a run broke off. Nothing that it reported before is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A process or the observer panicked.
    #[error("panic in {place}, at or before {at_ns} ns of virtual time: {message}")]
    Panic {
        /// Who: the nodes that the process plays, or the router.
        place: String,
        /// The end of the window in which it happened, in nanoseconds.
        at_ns: u64,
        /// What the panic said.
        message: String,
    },
    /// An actor went away without an answer.
    #[error("the actor that plays {0} is gone")]
    Lost(String),
    /// The actor system itself ended early.
    #[error("the actor system ended before the run did")]
    SystemEnded,
    /// Node ids must be 0, 1, 2, … without a gap.
    #[error("node {0} is not played by any process")]
    Unplayed(NodeId),
}

/// Sees nothing and never stops a run.
struct Blind;

impl<M: 'static, E: 'static> Observer<M, E> for Blind {
    fn observe(&mut self, _: &[Record<M, E>]) -> Verdict {
        Verdict::Continue
    }
}

impl<M: Message, E: Event> Simulation<M, E> {
    /// An empty run over a network; `run` names all its random draws.
    pub fn new(model: NetworkModel, run: Key) -> Self {
        Simulation {
            model,
            run,
            time_limit: Time::END,
            log_messages: false,
            keep_causes: false,
            cores: None,
            observer: Box::new(Blind),
            sizes: None,
            seats: Vec::new(),
            seat_of: Vec::new(),
        }
    }

    /// Ends the run after this instant.
    #[must_use]
    pub fn time_limit(mut self, limit: Time) -> Self {
        self.time_limit = limit;
        self
    }

    /// Also records each message sent, delivered, lost and duplicated.
    #[must_use]
    pub fn log_messages(mut self, log: bool) -> Self {
        self.log_messages = log;
        self
    }

    /// Also keeps what made each node do what it did, for [`Observer::observe_causes`].
    #[must_use]
    pub fn keep_causes(mut self, keep: bool) -> Self {
        self.keep_causes = keep;
        self
    }

    /// Gives each node so many cores, which work on one message at a time: see [`Process::work_of`] and [`Outbox::busy_until`]. Without,
    /// work takes no time.
    #[must_use]
    pub fn cores(mut self, cores: NonZeroU16) -> Self {
        self.cores = Some(cores);
        self
    }

    /// Lets `observer` watch the run.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer<M, E>) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// Measures messages in bytes by `sizes` instead of by [`Message::size`]: for a protocol whose messages weigh more or less with
    /// its configuration.
    #[must_use]
    pub fn sizes(mut self, sizes: impl Fn(&M) -> u64 + 'static) -> Self {
        self.sizes = Some(Rc::new(sizes));
        self
    }

    /// Gives `nodes` to `process`.
    ///
    /// # Panics
    /// If one of the nodes is played already.
    pub fn seat(&mut self, nodes: &[NodeId], process: impl Process<M, E> + Unpin + 'static) {
        self.seat_with(nodes, process, Powers::NONE);
    }

    /// Gives `nodes` to `process`, and powers over the run: see [`crate::Act`]. It may begin without any node, and gets its wake-ups all
    /// the same.
    ///
    /// # Panics
    /// If one of the nodes is played already.
    pub fn seat_with(&mut self, nodes: &[NodeId], process: impl Process<M, E> + Unpin + 'static, powers: Powers) {
        for &node in nodes {
            if self.seat_of.len() <= node.index() {
                self.seat_of.resize(node.index() + 1, None);
            }
            assert!(self.seat_of[node.index()].is_none(), "node {node} is played already");
            self.seat_of[node.index()] = Some(self.seats.len());
        }
        let wake_at = process.next_wake();
        let start = Box::new(|table, machines: Option<Vec<Machine<M>>>| match machines {
            None => SeatActor { player: Bare(process), table }.start().recipient(),
            Some(machines) => SeatActor { player: Station::new(process, machines), table }.start().recipient(),
        });
        self.seats.push(Starter { powers, wake_at, start });
    }

    /// Runs to the end, on this thread.
    ///
    /// # Panics
    /// Never on purpose: a panic of a process comes back as a [`Fault`]. The program's panic hook sees it first.
    pub fn run(self) -> Result<Report, Fault> {
        let unplayed = self.seat_of.iter().position(Option::is_none);
        if let Some(node) = unplayed {
            return Err(Fault::Unplayed(NodeId::new(node)));
        }
        // Virtual time needs neither the clock nor the sockets of the runtime.
        let system = System::with_tokio_rt(|| {
            tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers needs no resources")
        });
        system.block_on(async move {
            let (done, result) = oneshot::channel();
            RouterActor { table: Table::lay(self, done) }.start();
            result.await.unwrap_or(Err(Fault::SystemEnded))
        })
    }
}

/// The arrivals of a window, on their way to the actor of a process.
struct Deliver<M, E>(Box<Parcel<M, E>>);

impl<M: 'static, E: 'static> actix::Message for Deliver<M, E> {
    type Result = ();
}

/// A process as its actor sees it: with a machine of its own, or without.
pub(crate) trait Player<M, E> {
    /// Whether it hears what arrives at `now`.
    fn hears(&self, now: Time) -> bool;
    /// A message comes from the network.
    fn arrive(&mut self, arrival: Arrival<M>, out: &mut Outbox<M, E>);
    /// The time that `next_wake` asked for has come.
    fn wake(&mut self, now: Time, out: &mut Outbox<M, E>);
    /// When it next wants to be woken.
    fn next_wake(&self) -> Option<Time>;
    /// It gives away a node that it plays.
    fn surrender(&mut self, node: NodeId, now: Time, out: &mut Outbox<M, E>) -> Luggage<M>;
    /// It gets a node to play.
    fn take_over(&mut self, node: NodeId, luggage: Luggage<M>, now: Time, out: &mut Outbox<M, E>);
}

/// What the process of a node hands over with it.
///
/// # Panics
/// If it refuses.
pub(crate) fn hand_over<M, E>(process: &mut impl Process<M, E>, node: NodeId, now: Time) -> Box<dyn Any> {
    process.surrender(node, now).unwrap_or_else(|| panic!("the process of node {node} does not hand it over"))
}

/// A process whose machine is not limited.
struct Bare<P>(P);

impl<P: Process<M, E>, M: Message, E> Player<M, E> for Bare<P> {
    #[inline]
    fn hears(&self, now: Time) -> bool {
        self.0.hears(now)
    }

    #[inline(always)]
    fn arrive(&mut self, arrival: Arrival<M>, out: &mut Outbox<M, E>) {
        if let Some(ledger) = &mut out.ledger {
            ledger.react(&arrival, arrival.time, arrival.time);
        }
        log_delivery(&arrival, out);
        self.0.receive(arrival, out);
    }

    fn wake(&mut self, now: Time, out: &mut Outbox<M, E>) {
        if let Some(ledger) = &mut out.ledger {
            ledger.wake(None);
        }
        self.0.wake(now, out);
    }

    #[inline]
    fn next_wake(&self) -> Option<Time> {
        self.0.next_wake()
    }

    fn surrender(&mut self, node: NodeId, now: Time, _: &mut Outbox<M, E>) -> Luggage<M> {
        Luggage { what: hand_over(&mut self.0, node, now), desk: None, journeys: Vec::new() }
    }

    fn take_over(&mut self, node: NodeId, luggage: Luggage<M>, now: Time, out: &mut Outbox<M, E>) {
        if let Some(ledger) = &mut out.ledger {
            ledger.wake(None);
        }
        self.0.take_over(node, luggage.what, now, out);
    }
}

/// The actor around a process.
struct SeatActor<P, M: Message, E: Event> {
    player: P,
    table: SharedTable<M, E>,
}

impl<P: Player<M, E> + Unpin + 'static, M: Message, E: Event> Actor for SeatActor<P, M, E> {
    type Context = Context<Self>;
}

impl<P: Player<M, E> + Unpin + 'static, M: Message, E: Event> Handler<Deliver<M, E>> for SeatActor<P, M, E> {
    type Result = ();

    fn handle(&mut self, Deliver(mut parcel): Deliver<M, E>, _: &mut Context<Self>) {
        let SeatActor { player, table } = self;
        // A panic would make the actor vanish and the run wait for ever. The process is not used again after one.
        let result = catch_unwind(AssertUnwindSafe(|| match parcel.errand {
            Errand::Live => play(player, &mut parcel),
            errand => change_hands(player, &mut parcel, errand, table),
        }));
        if let Err(panic) = result {
            parcel.fault = Some(panic_text(&*panic));
        }
        Table::answer(&self.table, parcel);
    }
}

/// Lets a process live through a window: arrivals and its own timers in time order, arrivals first.
fn play<M: Message, E>(player: &mut impl Player<M, E>, parcel: &mut Parcel<M, E>) {
    let Parcel { arrivals, outbox, until, wake_at, .. } = parcel;
    for arrival in arrivals.drain(..) {
        wake_before(player, arrival.time, outbox);
        if !player.hears(arrival.time) {
            lose(arrival, outbox);
            continue;
        }
        player.arrive(arrival, outbox);
    }
    wake_before(player, *until, outbox);
    *wake_at = player.next_wake();
}

/// Lets a process give a node away or take one over. What goes with the node waits on the table for the other one.
#[cold]
fn change_hands<M: Message, E: Event>(
    player: &mut impl Player<M, E>,
    parcel: &mut Parcel<M, E>,
    errand: Errand,
    table: &SharedTable<M, E>,
) {
    let Parcel { outbox, until: now, wake_at, .. } = parcel;
    match errand {
        Errand::Live => {}
        Errand::Surrender(node) => {
            let luggage = player.surrender(node, *now, outbox);
            table.borrow_mut().luggage = Some(luggage);
        }
        Errand::TakeOver(node) => {
            let luggage = table.borrow_mut().luggage.take();
            player.take_over(node, luggage.expect("a node is given away before it is taken"), *now, outbox);
        }
    }
    *wake_at = player.next_wake();
    assert!(
        wake_at.is_none_or(|wake| wake >= *now),
        "asks for a wake-up before {} ns, the time at which a node changed hands",
        now.as_nanos()
    );
}

#[inline]
pub(crate) fn log_delivery<M: Message, E>(arrival: &Arrival<M>, outbox: &mut Outbox<M, E>) {
    if outbox.log_messages {
        let what = Happening::Delivered(arrival.from(), arrival.message.clone());
        outbox.records.push(Record::of(arrival.time, arrival.to(), what));
    }
}

/// What arrives at a node that is down, or finds its buffer full, is lost, and logged as other losses are: with the sender as its node.
#[cold]
pub(crate) fn lose<M: Message, E>(arrival: Arrival<M>, outbox: &mut Outbox<M, E>) {
    if let Some(ledger) = &mut outbox.ledger {
        ledger.discard(&arrival);
    }
    if outbox.log_messages {
        let (time, from, to) = (arrival.time, arrival.from(), arrival.to());
        outbox.records.push(Record::of(time, from, Happening::Dropped(to, arrival.message)));
    }
}

#[inline]
fn wake_before<M, E>(player: &mut impl Player<M, E>, time: Time, outbox: &mut Outbox<M, E>) {
    while let Some(due) = player.next_wake().filter(|&due| due < time) {
        player.wake(due, outbox);
    }
}

/// The actor of the router: it opens the first window, and keeps the router until the run is over.
struct RouterActor<M: Message, E: Event> {
    table: SharedTable<M, E>,
}

impl<M: Message, E: Event> Actor for RouterActor<M, E> {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.table.borrow_mut().turn();
    }
}

/// What router and seats share: they live on one thread.
///
/// A process puts its answer on the table, and the last one of a window turns the router on the spot. Waking the router's actor for
/// that would be one more actor message for each window: where windows hold a single event, half of the whole cost.
type SharedTable<M, E> = Rc<RefCell<Table<M, E>>>;

struct Table<M: Message, E: Event> {
    router: Router<M, E>,
    answers: Parcels<M, E>,
    /// How many answers the window is to have.
    expected: usize,
    seats: Vec<Recipient<Deliver<M, E>>>,
    /// What goes with the node that is changing hands.
    luggage: Option<Luggage<M>>,
    done: Option<oneshot::Sender<Result<Report, Fault>>>,
}

impl<M: Message, E: Event> Table<M, E> {
    fn lay(simulation: Simulation<M, E>, done: oneshot::Sender<Result<Report, Fault>>) -> SharedTable<M, E> {
        let Simulation { model, run, time_limit, log_messages, keep_causes, cores, observer, sizes, seats, seat_of } =
            simulation;
        let seat_of: Vec<usize> = seat_of.into_iter().flatten().collect();
        let powers: Vec<Powers> = seats.iter().map(|starter| starter.powers).collect();
        let machines = machines(&model, cores, sizes.as_ref(), &seat_of, &powers);
        let options = RouterOptions { powers, time_limit, log_messages, keep_causes };
        let router = Router::new(model, run, seat_of, options, sizes, observer);
        let (answers, recipients) = (Vec::new(), Vec::new());
        let table = Table { router, answers, expected: 0, seats: recipients, luggage: None, done: Some(done) };
        let table = Rc::new(RefCell::new(table));
        for (seat, (Starter { wake_at, start, .. }, machines)) in seats.into_iter().zip(machines).enumerate() {
            table.borrow_mut().router.set_wake(seat, wake_at);
            let recipient = start(Rc::clone(&table), machines);
            table.borrow_mut().seats.push(recipient);
        }
        table
    }

    /// Takes the answer of a process.
    fn answer(table: &SharedTable<M, E>, parcel: Box<Parcel<M, E>>) {
        let table = &mut *table.borrow_mut();
        table.answers.push(parcel);
        if table.answers.len() == table.expected {
            table.turn();
        }
    }

    /// Closes the window and opens the next, or ends the run.
    fn turn(&mut self) {
        // A panic here would unwind into the actor of some seat, and the run would wait for ever.
        let ended = catch_unwind(AssertUnwindSafe(|| self.next_window())).unwrap_or_else(|panic| {
            let at_ns = self.router.now().as_nanos();
            Some(Err(Fault::Panic { place: "the router".to_owned(), at_ns, message: panic_text(&*panic) }))
        });
        let Some(result) = ended else { return };
        if let Some(done) = self.done.take() {
            let (traffic, ended) = (self.router.traffic(), self.router.now());
            // Nobody waits any more if the system was stopped from outside; then nobody wants to know.
            let _ = done.send(result.map(|ending| Report { ending, traffic, ended }));
        }
        // The seats hold the table, and the table the seats' addresses: let go, so that all of them end.
        self.seats.clear();
    }

    fn next_window(&mut self) -> Option<Result<Ending, Fault>> {
        for parcel in &self.answers {
            if let Some(message) = &parcel.fault {
                let (place, at_ns, message) = (self.name_of(parcel.seat), parcel.until.as_nanos(), message.clone());
                return Some(Err(Fault::Panic { place, at_ns, message }));
            }
        }
        if self.router.take_back(&mut self.answers).is_break() {
            return Some(Ok(Ending::Stopped));
        }
        if let Next::End(ending) = self.router.go_on() {
            return Some(Ok(ending));
        }
        self.expected = self.router.at_work().len();
        for index in 0..self.expected {
            let seat = self.router.at_work()[index];
            let Some(parcel) = self.router.take_parcel(seat) else {
                return Some(Err(Fault::Lost(self.name_of(seat))));
            };
            // `do_send` would drop the parcel silently if the actor were gone.
            if self.seats[seat].try_send(Deliver(parcel)).is_err() {
                return Some(Err(Fault::Lost(self.name_of(seat))));
            }
        }
        None
    }

    /// What a seat plays, for error messages.
    fn name_of(&self, seat: usize) -> String {
        let nodes: Vec<String> = self.router.nodes_at(seat).map(|node| node.to_string()).collect();
        if nodes.is_empty() {
            format!("seat {seat}, which plays no node")
        } else {
            format!("node {}", nodes.join(", "))
        }
    }
}

/// For each seat the machines of its nodes; none where nothing limits them.
fn machines<M>(
    model: &NetworkModel,
    cores: Option<NonZeroU16>,
    sizes: Option<&SizeOf<M>>,
    seat_of: &[usize],
    powers: &[Powers],
) -> Vec<Option<Vec<Machine<M>>>> {
    let line = |node: usize| {
        let interface = model.interfaces.get(node)?;
        Some(LineIn::new(interface.ingress?, interface.buffer))
    };
    let senders: Rc<[Option<Bandwidth>]> = model.interfaces.iter().map(|interface| interface.egress).collect();
    let lines: Vec<Option<LineIn>> = (0..seat_of.len()).map(line).collect();
    let mut limited = vec![cores.is_some(); powers.len()];
    for (&seat, line) in seat_of.iter().zip(&lines) {
        limited[seat] |= line.is_some();
    }
    // A machine goes with its node, wherever that goes.
    if limited.contains(&true) && powers.iter().any(|powers| powers.takeovers > 0) {
        limited.fill(true);
    }
    let mut machines: Vec<Option<Vec<Machine<M>>>> = limited.iter().map(|&limited| limited.then(Vec::new)).collect();
    for ((node, &seat), line) in seat_of.iter().enumerate().zip(lines).filter(|((_, seat), _)| limited[**seat]) {
        let (node, senders) = (NodeId::new(node), Rc::clone(&senders));
        let machine = Machine { node, line, senders, sizes: sizes.cloned(), cores };
        machines[seat].get_or_insert_default().push(machine);
    }
    machines
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}
