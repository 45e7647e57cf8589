//! A block that a worker has parsed before its turn.

use super::RunConsumer;
use super::blocks::{Block, Ending, Lines};
use super::in_order::Open;
use crate::event::{Event, EventKind, Value};
use crate::log::row::RowParser;
use crate::log::run_order::RunIndex;
use crate::runs::RunRow;

/// What is known of a block without the blocks before it.
pub(super) struct Parsed<C: RunConsumer> {
    pub(super) lines: u64,
    /// The run in which it begins, and which may have begun before.
    pub(super) head: Fragment,
    /// The runs that lie wholly in it, by row of `runs.csv`, in order.
    pub(super) closed: Vec<(usize, C::Output)>,
    /// The run that began in it and may go on behind it.
    pub(super) tail: Option<Open<C>>,
}

/// Consecutive rows of one run.
pub(super) struct Fragment {
    pub(super) row: usize,
    pub(super) first_ns: u64,
    pub(super) last_ns: u64,
    /// Those that the consumer wants.
    pub(super) stored: Stored,
}

/// Events with their texts.
#[derive(Debug, Default)]
pub(super) struct Stored {
    events: Vec<StoredEvent>,
    texts: String,
}

/// Parses a block of whole rows in which nothing is wrong; `None` if something is, or if it has no rows.
pub(super) fn parse<C: RunConsumer>(
    block: &mut Block,
    rows: &[RunRow],
    index: &RunIndex,
    start: &impl Fn(&RunRow) -> C,
) -> Option<Parsed<C>> {
    if block.ending != Ending::Whole {
        return None;
    }
    let mut stored = std::mem::take(&mut block.buffers.stored);
    stored.clear();
    let mut lines = Lines::new(block.bytes());
    let mut parser = RowParser::default();
    let first = parser.parse(lines.next_whole()?).ok()?;
    let key = (first.cell, first.run);
    let row = index.row_of(key)?;
    let mut head = Fragment { row, first_ns: first.time_ns, last_ns: first.time_ns, stored };
    head.store::<C>(&first, 1);
    let mut count = 1;
    let mut next_run = None;
    // A loop of its own for each of the two ways that a row can take: together they are slower.
    while let Some(line) = lines.next_whole() {
        count += 1;
        let event = parser.parse(line).ok()?;
        if (event.cell, event.run) != key {
            next_run = Some(event);
            break;
        }
        if event.time_ns < head.last_ns {
            return None;
        }
        head.last_ns = event.time_ns;
        head.store::<C>(&event, count);
    }
    let mut closed = Vec::new();
    let Some(event) = next_run else { return Some(Parsed { lines: count.into(), head, closed, tail: None }) };
    let mut open = open_run(&event, rows, index, start)?;
    while let Some(line) = lines.next_whole() {
        count += 1;
        let event = parser.parse(line).ok()?;
        if (event.cell, event.run) == open.key {
            open.take(&event).ok()?;
        } else {
            let next = open_run(&event, rows, index, start)?;
            closed.push(std::mem::replace(&mut open, next).close());
        }
    }
    Some(Parsed { lines: count.into(), head, closed, tail: Some(open) })
}

fn open_run<C: RunConsumer>(
    first: &Event<'_>,
    rows: &[RunRow],
    index: &RunIndex,
    start: &impl Fn(&RunRow) -> C,
) -> Option<Open<C>> {
    let key = (first.cell, first.run);
    let row = index.row_of(key)?;
    let mut open = Open { row, key, last_ns: 0, consumer: start(&rows[row]) };
    open.take(first).ok()?;
    Some(open)
}

impl Fragment {
    #[inline]
    fn store<C: RunConsumer>(&mut self, event: &Event<'_>, line: u32) {
        if C::wants(event.kind) {
            let event = StoredEvent::new(event, line, &mut self.stored.texts);
            self.stored.events.push(event);
        }
    }
}

impl Stored {
    fn clear(&mut self) {
        self.events.clear();
        self.texts.clear();
    }

    /// The events, which are of this run, each with its line in the block, counted from 1.
    pub(super) fn events(&self, (cell, run): (u32, u32)) -> impl Iterator<Item = (u32, Event<'_>)> {
        self.events.iter().map(move |stored| (stored.line, stored.event(cell, run, &self.texts)))
    }
}

/// An event without its texts, in half the space.
#[derive(Debug)]
struct StoredEvent {
    time_ns: u64,
    view: u64,
    seq: u64,
    digest: u64,
    bytes: u64,
    /// A digest, or the place of a text.
    value: u64,
    message: Place,
    node: u32,
    peer: u32,
    line: u32,
    kind: EventKind,
    /// Which of the optional fields there are.
    has: u8,
}

/// Where a text stands: its start, and behind its end.
#[derive(Clone, Copy, Debug, Default)]
struct Place(u32, u32);

const VIEW: u8 = 1;
const SEQ: u8 = 1 << 1;
const DIGEST: u8 = 1 << 2;
const PEER: u8 = 1 << 3;
const MESSAGE: u8 = 1 << 4;
const BYTES: u8 = 1 << 5;
const VALUE_DIGEST: u8 = 1 << 6;
const VALUE_TEXT: u8 = 1 << 7;

impl StoredEvent {
    #[inline]
    fn new(event: &Event<'_>, line: u32, texts: &mut String) -> Self {
        let bit = |is_there: bool, bit: u8| if is_there { bit } else { 0 };
        let mut has = bit(event.view.is_some(), VIEW)
            | bit(event.seq.is_some(), SEQ)
            | bit(event.digest.is_some(), DIGEST)
            | bit(event.peer.is_some(), PEER)
            | bit(event.bytes.is_some(), BYTES);
        let mut message = Place::default();
        if let Some(text) = event.message {
            has |= MESSAGE;
            message = Place::of(text, texts);
        }
        let value = match event.value {
            None => 0,
            Some(Value::Digest(digest)) => {
                has |= VALUE_DIGEST;
                digest
            }
            Some(Value::Text(text)) => {
                has |= VALUE_TEXT;
                let Place(start, end) = Place::of(text, texts);
                u64::from(start) << 32 | u64::from(end)
            }
        };
        Self {
            time_ns: event.time_ns,
            view: event.view.unwrap_or_default(),
            seq: event.seq.unwrap_or_default(),
            digest: event.digest.unwrap_or_default(),
            bytes: event.bytes.unwrap_or_default(),
            value,
            message,
            node: event.node,
            peer: event.peer.unwrap_or_default(),
            line,
            kind: event.kind,
            has,
        }
    }

    #[inline]
    fn event<'a>(&self, cell: u32, run: u32, texts: &'a str) -> Event<'a> {
        let has = |bit: u8| self.has & bit != 0;
        let value = if has(VALUE_DIGEST) {
            Some(Value::Digest(self.value))
        } else if has(VALUE_TEXT) {
            Some(Value::Text(Place((self.value >> 32) as u32, self.value as u32).text(texts)))
        } else {
            None
        };
        Event {
            cell,
            run,
            time_ns: self.time_ns,
            node: self.node,
            kind: self.kind,
            view: has(VIEW).then_some(self.view),
            seq: has(SEQ).then_some(self.seq),
            digest: has(DIGEST).then_some(self.digest),
            peer: has(PEER).then_some(self.peer),
            message: has(MESSAGE).then(|| self.message.text(texts)),
            bytes: has(BYTES).then_some(self.bytes),
            value,
        }
    }
}

impl Place {
    /// Adds the text to the others.
    fn of(text: &str, texts: &mut String) -> Self {
        let start = texts.len() as u32;
        texts.push_str(text);
        Self(start, texts.len() as u32)
    }

    fn text(self, texts: &str) -> &str {
        &texts[self.0 as usize..self.1 as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_events_come_back() {
        let bare = Event::new(1, 2, 3, 4, EventKind::Send);
        let full = Event {
            view: Some(0),
            seq: Some(u64::MAX),
            digest: Some(7),
            peer: Some(0),
            message: Some("commit"),
            bytes: Some(9),
            value: Some(Value::Digest(u64::MAX)),
            ..bare
        };
        let text = Event { message: Some(""), value: Some(Value::Text("größer")), ..bare };
        let mut texts = String::new();
        let events = [bare, full, text];
        let stored = events.map(|event| StoredEvent::new(&event, 5, &mut texts));
        assert_eq!(stored.map(|stored| stored.event(1, 2, &texts)), events);
        assert_eq!(size_of::<StoredEvent>(), 72);
    }
}
