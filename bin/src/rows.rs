//! From what happened in a run to rows of `events.csv`.

use byzlab_adversary::Event;
use byzlab_analysis::{Event as Row, EventKind, EventWriter, Value};
use byzlab_network::{Happening, NodeId, Recipients, Record, Time};
use byzlab_replica::{Digest, Event as ProtocolEvent, Message, MessageKind, SeqNum, Slot, View, Wire};
use std::io::{self, Write};

/// Writes a record: one row, or one for each recipient of a message, whose size is the one that the wire says.
pub(crate) fn write_record<W: Write>(
    writer: &mut EventWriter<W>,
    (cell, run): (u32, u32),
    wire: Wire,
    record: &Record<Message, Event>,
) -> io::Result<()> {
    let time = record.time.as_nanos();
    let row = |node: NodeId, kind| Row::new(cell, run, time, u32::from(node.0), kind);
    let message_row = |kind, peer: NodeId, message: &Message| Row {
        view: message.view().map(|view| u64::from(view.0)),
        seq: Some(message.seq()),
        digest: Some(message.digest().0),
        peer: Some(u32::from(peer.0)),
        message: Some(message.kind().name()),
        bytes: Some(wire.size(message)),
        ..row(record.node, kind)
    };
    match &record.what {
        // The message says the same, where messages are logged.
        Happening::Event(Event::Protocol(ProtocolEvent::Replied { .. })) => Ok(()),
        Happening::Event(event) => writer.write(&event_row(cell, run, record.time, record.node, event)),
        Happening::Sent(recipients, message) => {
            write_sent(writer, &message_row(EventKind::Send, record.node, message), record.node, recipients)
        }
        Happening::Delivered(from, message) => writer.write(&message_row(EventKind::Deliver, *from, message)),
        Happening::Dropped(to, message) => writer.write(&message_row(EventKind::Drop, *to, message)),
        Happening::Duplicated(to, message) => writer.write(&message_row(EventKind::Duplicate, *to, message)),
    }
}

fn write_sent<W: Write>(
    writer: &mut EventWriter<W>,
    row: &Row<'static>,
    from: NodeId,
    recipients: &Recipients,
) -> io::Result<()> {
    let mut result = Ok(());
    recipients.for_each(from, |to| {
        if result.is_ok() {
            result = writer.write(&Row { peer: Some(u32::from(to.0)), ..*row });
        }
    });
    result
}

/// The row of an event.
#[inline]
pub(crate) fn event_row(cell: u32, run: u32, time: Time, node: NodeId, event: &Event) -> Row<'static> {
    let row = |kind| Row::new(cell, run, time.as_nanos(), u32::from(node.0), kind);
    let at = |kind, view: View, seq: SeqNum, digest: u64| Row {
        view: Some(u64::from(view.0)),
        seq: Some(seq.0),
        digest: Some(digest),
        ..row(kind)
    };
    let slot = |kind, slot: Slot| at(kind, slot.view, slot.seq, slot.digest.0);
    let state =
        |kind, seq: SeqNum, state: Digest| Row { seq: Some(seq.0), value: Some(Value::Digest(state.0)), ..row(kind) };
    let view = |kind, view: View| Row { view: Some(u64::from(view.0)), ..row(kind) };
    let protocol = match event {
        Event::Corrupt => return row(EventKind::Corrupt),
        Event::Attack(name) => return Row { value: Some(Value::Text(name)), ..row(EventKind::Attack) },
        Event::Protocol(event) => *event,
    };
    match protocol {
        ProtocolEvent::Request { timestamp, digest } => {
            Row { seq: Some(timestamp), digest: Some(digest.0), ..row(EventKind::Request) }
        }
        ProtocolEvent::Reply { timestamp, digest, result } => {
            let value = Some(Value::Digest(result.0));
            Row { seq: Some(timestamp), digest: Some(digest.0), value, ..row(EventKind::Reply) }
        }
        ProtocolEvent::Propose(place) => slot(EventKind::Propose, place),
        ProtocolEvent::Ordered { view, seq, request, client } => {
            Row { peer: Some(u32::from(client.0)), ..at(EventKind::Ordered, view, seq, request.0) }
        }
        ProtocolEvent::PrePrepared(place) => slot(EventKind::PrePrepared, place),
        ProtocolEvent::Prepared(place) => slot(EventKind::Prepared, place),
        ProtocolEvent::Committed(place) => slot(EventKind::Committed, place),
        ProtocolEvent::Rollback(place) => slot(EventKind::Rollback, place),
        ProtocolEvent::Executed { slot: place, state } => {
            Row { value: Some(Value::Digest(state.0)), ..slot(EventKind::Executed, place) }
        }
        ProtocolEvent::Checkpoint { seq, state: digest } => state(EventKind::Checkpoint, seq, digest),
        ProtocolEvent::Stable { seq, state: digest } => state(EventKind::Stable, seq, digest),
        ProtocolEvent::StateTransfer { seq, state: digest } => state(EventKind::StateTransfer, seq, digest),
        ProtocolEvent::Timeout(left) => view(EventKind::Timeout, left),
        ProtocolEvent::ViewChange(wanted) => view(EventKind::ViewChange, wanted),
        ProtocolEvent::NewView { view: entered, order } => {
            Row { value: Some(Value::Digest(order.0)), ..view(EventKind::NewView, entered) }
        }
        ProtocolEvent::Crash => row(EventKind::Crash),
        ProtocolEvent::Restart { durable } => {
            let value = Some(Value::Text(if durable { "durable" } else { "lost" }));
            Row { value, ..row(EventKind::Restart) }
        }
        ProtocolEvent::Replied { client, timestamp, result } => Row {
            peer: Some(u32::from(client.0)),
            seq: Some(timestamp),
            message: Some(MessageKind::Reply.name()),
            value: Some(Value::Digest(result.0)),
            ..row(EventKind::Send)
        },
    }
}
