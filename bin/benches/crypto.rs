//! What the operations of `[processing]` cost on this machine: where its presets come from.
//!
//! ```text
//! cargo bench -p byzlab --bench crypto                 everything: criterion's estimates, then the table
//! cargo bench -p byzlab --bench crypto -- table        the table alone, as docs/network.md has it
//! cargo bench -p byzlab --bench crypto -- sign         what has this in its name
//! ```
//!
//! A vote weighs 120 bytes on the wire, so that is what is signed, authenticated and sent. Datagrams go through a loopback socket: the
//! cost of a system call and of the kernel's part of UDP, as a stand-in for a network stack. A real network card adds interrupts, and
//! takes the copying off a CPU.

use criterion::{BenchmarkId, Criterion};
use ed25519_dalek::{Signature, Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::cell::Cell;
use std::hint::black_box;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

const VOTE: [u8; 120] = [0x5a; 120];
const KIB: [u8; 1024] = [0x5a; 1024];

/// An operation that can be timed: how long so many of it take.
struct Operation {
    /// The key of `[processing]`.
    name: &'static str,
    what: &'static str,
    time: Box<dyn FnMut(u64) -> Duration>,
}

impl Operation {
    fn all() -> Vec<Operation> {
        let operation = |name, what, time| Operation { name, what, time };
        vec![
            operation("receive", "a datagram of 120 bytes from a loopback UDP socket", datagrams(Half::Receive)),
            operation("send", "the same to such a socket", datagrams(Half::Send)),
            operation("sign", "Ed25519 over 120 bytes", sign()),
            operation("verify", "Ed25519 over 120 bytes, strictly", verify()),
            operation("mac", "HMAC-SHA-256 over 120 bytes, the key prepared", mac()),
            operation("hash_per_kib", "SHA-256 over 1,024 bytes", hash()),
        ]
    }
}

fn sign() -> Box<dyn FnMut(u64) -> Duration> {
    let key = SigningKey::from_bytes(&[7; 32]);
    repeated(move || _ = black_box(key.sign(black_box(&VOTE))))
}

fn verify() -> Box<dyn FnMut(u64) -> Duration> {
    let key = SigningKey::from_bytes(&[7; 32]);
    let (verifier, signature): (_, Signature) = (key.verifying_key(), key.sign(&VOTE));
    repeated(move || black_box(verifier.verify_strict(black_box(&VOTE), &signature)).expect("it is genuine"))
}

fn mac() -> Box<dyn FnMut(u64) -> Duration> {
    let prepared = Hmac::<Sha256>::new_from_slice(&[7; 32]).expect("any length will do");
    repeated(move || _ = black_box(prepared.clone().chain_update(black_box(&VOTE)).finalize()))
}

fn hash() -> Box<dyn FnMut(u64) -> Duration> {
    repeated(|| _ = black_box(Sha256::digest(black_box(&KIB))))
}

fn repeated(mut operation: impl FnMut() + 'static) -> Box<dyn FnMut(u64) -> Duration> {
    Box::new(move |count| timed(|| (0..count).for_each(|_| operation())))
}

#[derive(Clone, Copy, PartialEq)]
enum Half {
    Send,
    Receive,
}

/// So many datagrams fit the socket's buffer.
const AT_ONCE: u64 = 64;

/// Sends some, then receives them, and counts the time of one half.
fn datagrams(half: Half) -> Box<dyn FnMut(u64) -> Duration> {
    let socket = || UdpSocket::bind("127.0.0.1:0").expect("a loopback socket");
    let (from, to) = (socket(), socket());
    from.connect(to.local_addr().expect("it is bound")).expect("loopback");
    // A lost datagram would otherwise be waited for.
    to.set_read_timeout(Some(Duration::from_secs(1))).expect("not zero");
    let mut buffer = [0; 2048];
    Box::new(move |count| {
        let mut total = Duration::ZERO;
        let mut left = count;
        while left > 0 {
            let some = left.min(AT_ONCE);
            let sending = timed(|| (0..some).for_each(|_| _ = from.send(black_box(&VOTE)).expect("it is sent")));
            let receiving = timed(|| (0..some).for_each(|_| _ = to.recv(black_box(&mut buffer)).expect("it arrives")));
            total += if half == Half::Send { sending } else { receiving };
            left -= some;
        }
        total
    })
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn main() {
    let mut operations = Operation::all();
    if measures() && std::env::args().any(|argument| argument == "table") {
        print_table(&mut operations);
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    operations.retain_mut(|operation| estimate(&mut criterion, operation));
    criterion.final_summary();
    if measures() && !operations.is_empty() {
        print_table(&mut operations);
    }
}

/// Whether the command line asks for measurements: `cargo bench` does; `cargo test` does not.
fn measures() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// Criterion's estimate; false if the filter of the command line left it out.
fn estimate(criterion: &mut Criterion, operation: &mut Operation) -> bool {
    let chosen = Cell::new(false);
    let mut group = criterion.benchmark_group("crypto");
    group.bench_function(BenchmarkId::from_parameter(operation.name), |bencher| {
        chosen.set(true);
        bencher.iter_custom(|count| (operation.time)(count));
    });
    group.finish();
    chosen.get()
}

/// So many samples of about so long each.
const SAMPLES: usize = 201;
const SAMPLE: Duration = Duration::from_millis(5);

fn print_table(operations: &mut [Operation]) {
    println!("Medians of {SAMPLES} samples, with their quartiles, in nanoseconds, on one core of: {}.\n", cpu());
    println!("| key | operation | median ns | quartiles |");
    println!("|---|---|---|---|");
    for Operation { name, what, time } in operations {
        let trial = time(1000);
        let count = (1000.0 * SAMPLE.as_secs_f64() / trial.as_secs_f64()).max(1.0) as u64;
        let mut samples: Vec<f64> = (0..SAMPLES).map(|_| time(count).as_secs_f64() * 1e9 / count as f64).collect();
        samples.sort_unstable_by(f64::total_cmp);
        let [lower, median, upper] = [1, 2, 3].map(|quarter| samples[SAMPLES * quarter / 4]);
        println!("| `{name}` | {what} | {median:.0} | {lower:.0}–{upper:.0} |");
    }
}

/// The model, as Linux names it.
fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| "an unknown model".to_owned(), |(_, name)| name.to_owned())
}
