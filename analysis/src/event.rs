//! The rows of `events.csv`: what a node did, and when.

use std::fmt;

/// The header of `events.csv`.
pub const EVENT_COLUMNS: [&str; 12] =
    ["cell", "run", "time_ns", "node", "event", "view", "seq", "digest", "peer", "message", "bytes", "value"];

/// One row of `events.csv`; borrowed, so that neither writing nor reading allocates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// Index of the cell (combination of swept parameters).
    pub cell: u32,
    /// Index of the run (replication) in its cell.
    pub run: u32,
    /// Virtual time since the start of the run, in nanoseconds.
    pub time_ns: u64,
    /// The node that did it: replicas from 0, clients from `replicas`.
    pub node: u32,
    /// What it did.
    pub kind: EventKind,
    /// View of the protocol.
    pub view: Option<u64>,
    /// Sequence number of the protocol; in `request` and `reply` the client's request number.
    pub seq: Option<u64>,
    /// Digest of the batch; in `request`, `ordered` and `reply` of the request.
    pub digest: Option<u64>,
    /// The other node: the client in `ordered`, the other end of a message.
    pub peer: Option<u32>,
    /// Type of the message, such as `prepare`.
    pub message: Option<&'a str>,
    /// Size of the message in bytes.
    pub bytes: Option<u64>,
    /// Digest of a state or a result, or the name of an attack.
    pub value: Option<Value<'a>>,
}

impl Event<'_> {
    /// An event with all optional fields empty.
    ///
    /// ```
    /// use byzlab_analysis::{Event, EventKind};
    /// let event = Event { view: Some(0), ..Event::new(0, 3, 5_000_000, 1, EventKind::NewView) };
    /// assert_eq!(event.seq, None);
    /// ```
    pub fn new(cell: u32, run: u32, time_ns: u64, node: u32, kind: EventKind) -> Self {
        Self {
            cell,
            run,
            time_ns,
            node,
            kind,
            view: None,
            seq: None,
            digest: None,
            peer: None,
            message: None,
            bytes: None,
            value: None,
        }
    }
}

/// The content of the column `value`.
///
/// A text of exactly 16 lower-case hexadecimal digits reads back as a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Written as 16 lower-case hexadecimal digits, like the column `digest`.
    Digest(u64),
    /// Anything else, without comma, quote or control character.
    Text(&'a str),
}

/// Declares the kinds of events together with their names in the file.
macro_rules! event_kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// What happened; the column `event`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EventKind { $($(#[$doc])* $kind,)* }

        impl EventKind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The name in the file.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// The kind with this name in the file.
            pub fn from_name(name: &[u8]) -> Option<Self> {
                $(if name == $name.as_bytes() { return Some(Self::$kind); })*
                None
            }
        }
    };
}

event_kinds! {
    /// A client issues a request.
    Request = "request",
    /// A pre-prepare leaves the primary.
    Propose = "propose",
    /// A request of the batch just proposed.
    Ordered = "ordered",
    /// A replica accepts a pre-prepare.
    PrePrepared = "pre_prepared",
    /// A replica has the prepared certificate.
    Prepared = "prepared",
    /// A replica has the commit certificate.
    Committed = "committed",
    /// A replica executes a batch.
    Executed = "executed",
    /// A replica takes a tentative execution back.
    Rollback = "rollback",
    /// A client accepts a result.
    Reply = "reply",
    /// A replica takes a checkpoint.
    Checkpoint = "checkpoint",
    /// A checkpoint becomes stable.
    Stable = "stable",
    /// A replica's timer expires.
    Timeout = "timeout",
    /// A replica starts or joins a view change.
    ViewChange = "view_change",
    /// A replica enters a new view.
    NewView = "new_view",
    /// A replica installs a state fetched from others.
    StateTransfer = "state_transfer",
    /// A node crashes.
    Crash = "crash",
    /// A node comes back.
    Restart = "restart",
    /// The adversary corrupts a node.
    Corrupt = "corrupt",
    /// The adversary acts.
    Attack = "attack",
    /// A message leaves its sender.
    Send = "send",
    /// A message arrives.
    Deliver = "deliver",
    /// The network loses a message.
    Drop = "drop",
    /// The network duplicates a message.
    Duplicate = "duplicate",
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
