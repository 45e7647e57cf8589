//! An adversary that corrupts the primary of each new view as soon as it has begun, until its budget is spent.

use crate::attack::{About, Attack, Command, Family, Need};
use byzlab_network::Time;

/// An adversary that corrupts the primary of each new view as soon as it has begun, until its budget is spent.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct ChasePrimary;

impl Attack for ChasePrimary {
    fn about(&self) -> About {
        let summary = "Corrupts the primary of each view when it has begun, until the budget is spent.";
        About::itself("chase_primary", Family::Adaptive, summary).needing(&[Need::Budget])
    }

    fn command(&mut self, command: &mut Command<'_>) {
        command.take_over(command.primary());
    }

    fn next_wake(&self, last: Option<Time>) -> Option<Time> {
        last.is_none().then_some(Time::START)
    }
}
