//! What a loss costs: the message, or time; and losses that come in bursts.

use crate::random::Key;
use crate::time::{Span, Time};

/// How messages get from node to node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Transport {
    /// What is lost is lost, and later messages overtake earlier ones.
    #[default]
    Datagram,
    /// What is lost is sent again, and each pair of nodes gets its messages in the order in which they were sent.
    Reliable(Retransmission),
}

/// When what is lost is sent again: after `timeout`, and each further time after twice as long, up to `longest` (RFC 6298, section 5.5).
///
/// The timeout does not adapt to the round trip: give it above the longest one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retransmission {
    timeout: Span,
    longest: Span,
}

/// A message is given up after so many transmissions: one and fifteen more, as many as Linux makes (`tcp_retries2`).
pub(crate) const MOST_TRANSMISSIONS: u64 = 16;

impl Retransmission {
    /// A first timeout and the longest; none if the first is zero or above the longest.
    pub fn new(timeout: Span, longest: Span) -> Option<Retransmission> {
        (timeout > Span::ZERO && timeout <= longest).then_some(Retransmission { timeout, longest })
    }

    /// The first timeout.
    pub fn timeout(self) -> Span {
        self.timeout
    }

    /// No timeout is longer.
    pub fn longest(self) -> Span {
        self.longest
    }

    /// How long after the `number`-th transmission (from 0) the next one follows.
    pub(crate) fn wait_after(self, number: u64) -> Span {
        let doubled = self.timeout.as_nanos().saturating_mul(1 << number.min(62));
        Span::from_nanos(doubled).min(self.longest)
    }
}

/// Losses in bursts: the model of Gilbert (1960) and Elliott (1963).
///
/// A link is good or bad. Before each transmission it changes its state with the probability of its state, then the transmission is
/// lost with that of the state it is in now. It begins in the state that it is in on average.
///
/// The share of lost transmissions is `(bad · loss_bad + good · loss_good)`, where the link is bad for a share of
/// `to_bad / (to_bad + to_good)`, and a bad spell lasts `1 / to_good` transmissions on average.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BurstLoss {
    /// The probability that a good link turns bad.
    pub to_bad: f64,
    /// The probability that a bad link turns good; above 0.
    pub to_good: f64,
    /// The probability that a good link loses a transmission.
    pub loss_good: f64,
    /// The probability that a bad link loses a transmission.
    pub loss_bad: f64,
}

impl BurstLoss {
    /// The share of time for which a link is bad.
    pub fn bad_share(&self) -> f64 {
        let sum = self.to_bad + self.to_good;
        if sum > 0.0 { self.to_bad / sum } else { 0.0 }
    }

    /// The share of transmissions that are lost in the long run.
    pub fn mean_loss(&self) -> f64 {
        self.bad_share() * self.loss_bad + (1.0 - self.bad_share()) * self.loss_good
    }

    /// Whether the next transmission over a link is lost; `name` names its random numbers.
    pub(crate) fn loses(&self, spell: &mut Spell, name: Key) -> bool {
        let mut draw = name.draw();
        let turn = draw.unit();
        *spell = match *spell {
            Spell::Unknown if turn < self.bad_share() => Spell::Bad,
            Spell::Unknown => Spell::Good,
            Spell::Good if turn < self.to_bad => Spell::Bad,
            Spell::Bad if turn < self.to_good => Spell::Good,
            same => same,
        };
        draw.unit() < if *spell == Spell::Bad { self.loss_bad } else { self.loss_good }
    }
}

/// What state a link with bursts of losses is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Spell {
    /// Nothing went over it yet.
    #[default]
    Unknown,
    Good,
    Bad,
}

/// What a link remembers of the messages that went over it.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinkMemory {
    /// When the last message arrives, for a transport that keeps the order.
    pub(crate) last_arrival: Time,
    pub(crate) spell: Spell,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_double_up_to_the_longest() {
        let ms = Span::from_millis;
        let retransmission = Retransmission::new(ms(200), ms(1000)).unwrap();
        let waits: Vec<Span> = (0..5).map(|number| retransmission.wait_after(number)).collect();
        assert_eq!(waits, [ms(200), ms(400), ms(800), ms(1000), ms(1000)]);
        assert_eq!(retransmission.wait_after(200), ms(1000));
        assert_eq!(Retransmission::new(Span::ZERO, ms(1)), None);
        assert_eq!(Retransmission::new(ms(2), ms(1)), None);
    }

    #[test]
    fn losses_come_in_bursts_of_the_right_length_and_share() {
        const COUNT: u64 = 400_000;
        let model = BurstLoss { to_bad: 0.01, to_good: 0.2, loss_good: 0.001, loss_bad: 0.5 };
        let mut spell = Spell::default();
        let (mut lost, mut bad, mut spells) = (0, 0, 0);
        for number in 0..COUNT {
            let before = spell;
            lost += u64::from(model.loses(&mut spell, Key::root(3).child(number)));
            bad += u64::from(spell == Spell::Bad);
            spells += u64::from(spell == Spell::Bad && before != Spell::Bad);
        }
        let share = lost as f64 / COUNT as f64;
        assert!((share / model.mean_loss() - 1.0).abs() < 0.05, "{share} {}", model.mean_loss());
        let length = bad as f64 / spells as f64;
        assert!((length / 5.0 - 1.0).abs() < 0.05, "a bad spell lasts {length} transmissions");
    }
}
