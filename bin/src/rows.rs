//! From what happened in a run to rows of `events.csv`.

use byzlab_adversary::Event;
use byzlab_analysis::{Event as Row, EventKind, EventWriter, Value};
use byzlab_network::{Happening, Message as _, NodeId, Recipients, Record};
use byzlab_replica::{Event as ProtocolEvent, Message, MessageKind, SeqNum, Slot, View};
use std::io::{self, Write};

/// Writes a record: one row, or one for each recipient of a message.
pub(crate) fn write_record<W: Write>(
    writer: &mut EventWriter<W>,
    cell: u32,
    run: u32,
    record: &Record<Message, Event>,
) -> io::Result<()> {
    let time = record.time.as_nanos();
    let row = |node: NodeId, kind| Row::new(cell, run, time, u32::from(node.0), kind);
    match &record.what {
        // The message says the same, where messages are logged.
        Happening::Event(Event::Protocol(ProtocolEvent::Replied { .. })) => Ok(()),
        Happening::Event(event) => writer.write(&event_row(row(record.node, event_kind(event)), event)),
        Happening::Sent(recipients, message) => {
            write_sent(writer, &row(record.node, EventKind::Send), record.node, recipients, message)
        }
        Happening::Delivered(from, message) => {
            writer.write(&message_row(row(record.node, EventKind::Deliver), *from, message))
        }
        Happening::Dropped(to, message) => writer.write(&message_row(row(record.node, EventKind::Drop), *to, message)),
        Happening::Duplicated(to, message) => {
            writer.write(&message_row(row(record.node, EventKind::Duplicate), *to, message))
        }
    }
}

fn write_sent<W: Write>(
    writer: &mut EventWriter<W>,
    row: &Row<'static>,
    from: NodeId,
    recipients: &Recipients,
    message: &Message,
) -> io::Result<()> {
    let row = message_row(*row, from, message);
    let mut result = Ok(());
    recipients.for_each(from, |to| {
        if result.is_ok() {
            result = writer.write(&Row { peer: Some(u32::from(to.0)), ..row });
        }
    });
    result
}

fn message_row(row: Row<'static>, peer: NodeId, message: &Message) -> Row<'static> {
    Row {
        view: message.view().map(|view| u64::from(view.0)),
        seq: Some(message.seq()),
        digest: Some(message.digest().0),
        peer: Some(u32::from(peer.0)),
        message: Some(message.kind().name()),
        bytes: Some(message.size()),
        ..row
    }
}

fn event_kind(event: &Event) -> EventKind {
    let Event::Protocol(event) = event else {
        return if *event == Event::Corrupt { EventKind::Corrupt } else { EventKind::Attack };
    };
    match event {
        ProtocolEvent::Request { .. } => EventKind::Request,
        ProtocolEvent::Reply { .. } => EventKind::Reply,
        ProtocolEvent::Propose(_) => EventKind::Propose,
        ProtocolEvent::Ordered { .. } => EventKind::Ordered,
        ProtocolEvent::PrePrepared(_) => EventKind::PrePrepared,
        ProtocolEvent::Prepared(_) => EventKind::Prepared,
        ProtocolEvent::Committed(_) => EventKind::Committed,
        ProtocolEvent::Executed { .. } => EventKind::Executed,
        ProtocolEvent::Checkpoint { .. } => EventKind::Checkpoint,
        ProtocolEvent::Stable { .. } => EventKind::Stable,
        ProtocolEvent::Rollback(_) => EventKind::Rollback,
        ProtocolEvent::Timeout(_) => EventKind::Timeout,
        ProtocolEvent::ViewChange(_) => EventKind::ViewChange,
        ProtocolEvent::NewView { .. } => EventKind::NewView,
        ProtocolEvent::StateTransfer { .. } => EventKind::StateTransfer,
        ProtocolEvent::Crash => EventKind::Crash,
        ProtocolEvent::Restart { .. } => EventKind::Restart,
        ProtocolEvent::Replied { .. } => EventKind::Send,
    }
}

fn event_row(row: Row<'static>, event: &Event) -> Row<'static> {
    let at = |view: View, seq: SeqNum, digest: u64| Row {
        view: Some(u64::from(view.0)),
        seq: Some(seq.0),
        digest: Some(digest),
        ..row
    };
    let protocol = match event {
        Event::Corrupt => return row,
        Event::Attack(name) => return Row { value: Some(Value::Text(name)), ..row },
        Event::Protocol(event) => *event,
    };
    match protocol {
        ProtocolEvent::Request { timestamp, digest } => Row { seq: Some(timestamp), digest: Some(digest.0), ..row },
        ProtocolEvent::Reply { timestamp, digest, result } => {
            let value = Some(Value::Digest(result.0));
            Row { seq: Some(timestamp), digest: Some(digest.0), value, ..row }
        }
        ProtocolEvent::Propose(slot)
        | ProtocolEvent::PrePrepared(slot)
        | ProtocolEvent::Prepared(slot)
        | ProtocolEvent::Committed(slot)
        | ProtocolEvent::Rollback(slot) => at(slot.view, slot.seq, slot.digest.0),
        ProtocolEvent::Ordered { view, seq, request, client } => {
            Row { peer: Some(u32::from(client.0)), ..at(view, seq, request.0) }
        }
        ProtocolEvent::Executed { slot: Slot { view, seq, digest }, state } => {
            Row { value: Some(Value::Digest(state.0)), ..at(view, seq, digest.0) }
        }
        ProtocolEvent::Checkpoint { seq, state }
        | ProtocolEvent::Stable { seq, state }
        | ProtocolEvent::StateTransfer { seq, state } => {
            Row { seq: Some(seq.0), value: Some(Value::Digest(state.0)), ..row }
        }
        ProtocolEvent::Replied { client, timestamp, result } => Row {
            peer: Some(u32::from(client.0)),
            seq: Some(timestamp),
            message: Some(MessageKind::Reply.name()),
            value: Some(Value::Digest(result.0)),
            ..row
        },
        ProtocolEvent::Timeout(view) | ProtocolEvent::ViewChange(view) => Row { view: Some(u64::from(view.0)), ..row },
        ProtocolEvent::NewView { view, order } => {
            Row { view: Some(u64::from(view.0)), value: Some(Value::Digest(order.0)), ..row }
        }
        ProtocolEvent::Crash => row,
        ProtocolEvent::Restart { durable } => {
            Row { value: Some(Value::Text(if durable { "durable" } else { "lost" })), ..row }
        }
    }
}
