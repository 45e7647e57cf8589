//! The requests that a replica knows of and that are not executed yet.

use crate::message::SignedRequest;
use std::collections::VecDeque;

/// Of each client at most one request, its latest: a client has one request at a time (rule 10), and a flood takes no more room.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Requests {
    /// By client.
    held: Vec<Option<SignedRequest>>,
    /// The clients whose requests are held, in the order in which these came.
    order: VecDeque<usize>,
}

impl Requests {
    pub(crate) fn new(clients: usize) -> Requests {
        Requests { held: vec![None; clients], order: VecDeque::new() }
    }

    /// Holds a request, unless the client's latest is held already; tells whether it is new.
    pub(crate) fn hold(&mut self, client: usize, request: &SignedRequest) -> bool {
        match &self.held[client] {
            Some(held) if held.timestamp >= request.timestamp => return false,
            Some(_) => self.forget(client),
            None => {}
        }
        self.held[client] = Some(SignedRequest::clone(request));
        self.order.push_back(client);
        true
    }

    /// The request that is held of a client.
    pub(crate) fn of(&self, client: usize) -> Option<&SignedRequest> {
        self.held[client].as_ref()
    }

    /// Lets go of what a client asked for up to `timestamp`.
    pub(crate) fn executed(&mut self, client: usize, timestamp: u64) {
        if self.held[client].as_ref().is_some_and(|held| held.timestamp <= timestamp) {
            self.forget(client);
        }
    }

    fn forget(&mut self, client: usize) {
        self.held[client] = None;
        // Nearly always the first.
        if let Some(place) = self.order.iter().position(|&other| other == client) {
            self.order.remove(place);
        }
    }

    /// The one that has waited longest: client and request number.
    pub(crate) fn first(&self) -> Option<(usize, u64)> {
        let &client = self.order.front()?;
        self.held[client].as_ref().map(|request| (client, request.timestamp))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// All of them with their clients, in the order in which they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &SignedRequest)> {
        self.order.iter().filter_map(|&client| self.held[client].as_ref().map(|request| (client, request)))
    }
}
