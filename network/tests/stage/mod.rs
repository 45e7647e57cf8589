//! Nodes that send what a script says and write down what they hear.

// Each test file needs a part of it.
#![allow(dead_code)]

use byzlab_network::{
    Arrival, Happening, Key, Label, Message, NetworkModel, NodeId, Observer, Outbox, Process, Recipients, Record,
    Simulation, Span, Time, Verdict,
};
use std::cell::RefCell;
use std::rc::Rc;

/// So many milliseconds after the start.
pub(crate) fn ms(milliseconds: u64) -> Time {
    Time::START + Span::from_millis(milliseconds)
}

/// A message that is nothing but its label.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Note {
    pub(crate) kind: u8,
    pub(crate) view: Option<u64>,
    pub(crate) seq: Option<u64>,
}

impl Note {
    /// With the millisecond of its sending as its number.
    pub(crate) fn at(milliseconds: u64) -> Note {
        Note { seq: Some(milliseconds), ..Note::default() }
    }
}

impl Message for Note {
    fn size(&self) -> u64 {
        1
    }

    fn label(&self) -> Label {
        Label { kind: self.kind, view: self.view, seq: self.seq }
    }
}

/// A message that never arrived, as the log has it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Lost {
    pub(crate) time: Time,
    pub(crate) node: u16,
    pub(crate) peer: u16,
}

/// What nodes report.
#[derive(Clone, Debug)]
enum Report {
    Heard(Note),
    Woken,
}

type Log = Rc<RefCell<Vec<Record<Note, Report>>>>;

/// A script for ten nodes on a network, and after the run what happened.
pub(crate) struct Play {
    model: NetworkModel,
    sends: Vec<(Time, NodeId, NodeId, Note)>,
    chats: bool,
    down: Option<(u16, Time, Time)>,
    log: Log,
}

impl Play {
    pub(crate) fn on(model: NetworkModel) -> Play {
        Play { model, sends: Vec::new(), chats: false, down: None, log: Log::default() }
    }

    /// At this millisecond one node sends a note to another.
    pub(crate) fn send(self, milliseconds: u64, from: u16, to: u16, note: Note) -> Play {
        self.send_at(ms(milliseconds), from, to, note)
    }

    pub(crate) fn send_at(mut self, time: Time, from: u16, to: u16, note: Note) -> Play {
        self.sends.push((time, NodeId(from), NodeId(to), note));
        self
    }

    /// Nodes 0 to 3 answer what they hear, each time with a lower number, and begin when the script lets them send.
    pub(crate) fn chatting(mut self) -> Play {
        self.chats = true;
        self
    }

    /// A node is down between these milliseconds.
    pub(crate) fn down(mut self, node: u16, from: u64, until: u64) -> Play {
        self.down = Some((node, ms(from), ms(until)));
        self
    }

    pub(crate) fn run(self) -> Play {
        let mut simulation =
            Simulation::new(self.model.clone(), Key::root(7)).log_messages(true).observer(Scribe(Rc::clone(&self.log)));
        for node in (0..10).map(NodeId) {
            let mut sends: Vec<_> = self.sends.iter().filter(|send| send.1 == node).copied().collect();
            sends.sort_by_key(|send| send.0);
            sends.reverse();
            let down = self.down.filter(|down| down.0 == node.0).map(|(_, from, until)| (from, until));
            let alarms = down.map_or(vec![], |(from, until)| vec![until, from]);
            simulation.seat(&[node], Actor { node, sends, chats: self.chats, down, alarms, now: Time::START });
        }
        simulation.run().unwrap();
        self
    }

    /// When something was heard, and its number, in the order of time.
    pub(crate) fn arrivals(&self) -> Vec<(Time, u64)> {
        self.heard(|_| true)
    }

    /// As [`Play::arrivals`], in whole milliseconds.
    pub(crate) fn arrivals_ms(&self) -> Vec<(u64, u64)> {
        self.arrivals().into_iter().map(|(time, seq)| (whole_ms(time), seq)).collect()
    }

    /// What one node heard, in whole milliseconds.
    pub(crate) fn arrivals_at(&self, node: u16) -> Vec<(u64, u64)> {
        self.heard(|at| at == NodeId(node)).into_iter().map(|(time, seq)| (whole_ms(time), seq)).collect()
    }

    fn heard(&self, of: impl Fn(NodeId) -> bool) -> Vec<(Time, u64)> {
        let log = self.log.borrow();
        let heard = log.iter().filter_map(|record| match record.what {
            Happening::Event(Report::Heard(note)) if of(record.node) => Some((record.time, note.seq.unwrap_or(0))),
            _ => None,
        });
        heard.collect()
    }

    pub(crate) fn lost(&self) -> Vec<Lost> {
        let log = self.log.borrow();
        let lost = log.iter().filter_map(|record| match record.what {
            Happening::Dropped(peer, _) => Some(Lost { time: record.time, node: record.node.0, peer: peer.0 }),
            _ => None,
        });
        lost.collect()
    }

    /// How many second copies were made.
    pub(crate) fn duplicated(&self) -> usize {
        self.log.borrow().iter().filter(|record| matches!(record.what, Happening::Duplicated(..))).count()
    }

    /// When the timers of a node that is down for a while ran out.
    pub(crate) fn woken(&self, node: u16) -> Vec<Time> {
        let log = self.log.borrow();
        let woken = log.iter().filter(|record| matches!(record.what, Happening::Event(Report::Woken)));
        woken.filter(|record| record.node.0 == node).map(|record| record.time).collect()
    }

    /// All that happened, in order.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.borrow().iter().map(|record| format!("{record:?}")).collect()
    }
}

/// The tests know each time to the millisecond; what is between would be a mistake.
fn whole_ms(time: Time) -> u64 {
    assert_eq!(time.as_nanos() % 1_000_000, 0, "{time:?} is no whole millisecond");
    time.as_nanos() / 1_000_000
}

struct Actor {
    node: NodeId,
    /// What it is still to send, the next one last.
    sends: Vec<(Time, NodeId, NodeId, Note)>,
    chats: bool,
    down: Option<(Time, Time)>,
    /// The next one last.
    alarms: Vec<Time>,
    now: Time,
}

impl Actor {
    fn live_until(&mut self, now: Time) {
        assert!(self.now <= now, "{:?}: {now:?} comes after {:?}", self.node, self.now);
        self.now = now;
    }
}

impl Process<Note, Report> for Actor {
    fn hears(&self, now: Time) -> bool {
        self.down.is_none_or(|(from, until)| now < from || until <= now)
    }

    fn receive(&mut self, arrival: Arrival<Note>, out: &mut Outbox<Note, Report>) {
        self.live_until(arrival.time);
        let (note, to) = (arrival.message, arrival.to());
        out.event(arrival.time, to, Report::Heard(note));
        let seq = note.seq.and_then(|seq| seq.checked_sub(1));
        if let Some(seq) = seq.filter(|_| self.chats && to.0 < 4) {
            let next = Note { kind: 1 + (seq % 2) as u8, view: None, seq: Some(seq) };
            let other = NodeId((to.0 + 1 + (seq % 3) as u16) % 4);
            out.send(arrival.time, to, Recipients::One(other), next);
        }
    }

    fn wake(&mut self, now: Time, out: &mut Outbox<Note, Report>) {
        self.live_until(now);
        while self.alarms.pop_if(|alarm| *alarm <= now).is_some() {
            out.event(now, self.node, Report::Woken);
        }
        while let Some((_, from, to, note)) = self.sends.pop_if(|send| send.0 <= now) {
            let to = if self.chats { Recipients::OthersBelow(NodeId(4)) } else { Recipients::One(to) };
            out.send(now, from, to, note);
        }
    }

    fn next_wake(&self) -> Option<Time> {
        let send = self.sends.last().map(|send| send.0);
        send.into_iter().chain(self.alarms.last().copied()).min()
    }
}

struct Scribe(Log);

impl Observer<Note, Report> for Scribe {
    fn observe(&mut self, records: &[Record<Note, Report>]) -> Verdict {
        self.0.borrow_mut().extend_from_slice(records);
        Verdict::Continue
    }
}
