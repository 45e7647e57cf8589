//! `events.csv` and `runs.csv`: what is written reads back, what is damaged is refused.

use std::path::Path;

use byzlab_analysis::{
    EVENT_COLUMNS, Event, EventKind, EventReader, EventWriter, LogError, Outcome, RunRow, RunTable, RunWriter, Value,
};

fn header() -> String {
    format!("{}\n", EVENT_COLUMNS.join(","))
}

/// The message of the first error in a log, or the number of rows.
fn read(log: &[u8]) -> Result<usize, String> {
    let mut reader = EventReader::new(log, "events.csv").map_err(|error| error.to_string())?;
    let mut rows = 0;
    while reader.next_event().map_err(|error| error.to_string())?.is_some() {
        rows += 1;
    }
    Ok(rows)
}

#[track_caller]
fn assert_refused(log: impl AsRef<[u8]>, words: &[&str]) {
    let message = read(log.as_ref()).expect_err("a damaged log");
    for word in words {
        assert!(message.contains(word), "no {word:?} in: {message}");
    }
}

#[test]
fn events_read_back() {
    let full = Event {
        view: Some(u64::MAX),
        seq: Some(0),
        digest: Some(0x0123_4567_89ab_cdef),
        peer: Some(u32::MAX),
        message: Some("pre_prepare"),
        bytes: Some(10_000_000_000_000_000_000),
        value: Some(Value::Digest(u64::MAX)),
        ..Event::new(u32::MAX, 7, u64::MAX, 3, EventKind::Send)
    };
    let text = Event { value: Some(Value::Text("größer 0")), ..full };
    let mut events = vec![full, text];
    events.extend(EventKind::ALL.iter().map(|&kind| Event::new(0, 1, 2, 3, kind)));

    let mut writer = EventWriter::new(Vec::new()).unwrap();
    for event in &events {
        writer.write(event).unwrap();
    }
    let log = writer.finish().unwrap();
    let lines: Vec<&str> = std::str::from_utf8(&log).unwrap().lines().collect();
    assert_eq!(
        lines[1],
        "4294967295,7,18446744073709551615,3,send,18446744073709551615,0,0123456789abcdef,\
         4294967295,pre_prepare,10000000000000000000,ffffffffffffffff"
    );
    assert_eq!(lines[3], "0,1,2,3,request,,,,,,,");

    // Also where reads end in the middle of rows, and with Windows line ends.
    let windows = std::str::from_utf8(&log).unwrap().replace('\n', "\r\n");
    for log in [&log[..], windows.as_bytes()] {
        let mut reader = EventReader::new(Trickle(log), "events.csv").unwrap();
        for event in &events {
            assert_eq!(reader.next_event().unwrap(), Some(*event));
        }
        assert_eq!(reader.next_event().unwrap(), None);
    }
}

/// Hands out a few bytes a read.
struct Trickle<'a>(&'a [u8]);

impl std::io::Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.0.len().min(7).min(buffer.len());
        let (now, later) = self.0.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.0 = later;
        Ok(length)
    }
}

#[test]
fn writer_refuses_what_would_break_a_row() {
    let mut writer = EventWriter::without_header(Vec::new());
    for text in ["a,b", "a\"b", "a\nb", "a\rb", "\0"] {
        let event = Event { message: Some(text), ..Event::new(0, 0, 0, 0, EventKind::Attack) };
        assert!(writer.write(&event).is_err());
        let value = Some(Value::Text(text));
        assert!(writer.write(&Event { value, message: None, ..event }).is_err());
    }
    assert!(writer.finish().unwrap().is_empty());
}

#[test]
fn foreign_headers() {
    assert_refused("", &["events.csv:1", "not the header"]);
    assert_refused("cell,run", &["events.csv:1", "cell,run", "byzlab run"]);
    assert_refused("time,event\n1,send\n", &["\"time,event\"", "cell,run,time_ns"]);
    assert_refused(vec![b'x'; 1 << 20], &["not the header"]);
    assert_refused(b"\xff\xfe\n", &["not the header"]);
    assert_refused(format!("\u{feff}{}", header()), &["not the header"]);
    assert_eq!(read(header().as_bytes()), Ok(0));
}

#[test]
fn damaged_rows() {
    let log = |row: &str| format!("{}0,0,5,1,timeout,,,,,,,\n{row}", header());
    // Cut in the middle, or just before the line end.
    assert_refused(log("3,4,17"), &["events.csv:3 (cell 3, run 4)", "middle of a row", "again"]);
    assert_refused(log("0,0,5,1,timeout,,,,,,,"), &["events.csv:3", "middle of a row"]);
    assert_refused(log("0,0,5,1,timeout,,,,\n"), &[":3 (cell 0, run 0)", "9 fields", "12"]);
    assert_refused(log("0,0,5,1,timeout,,,,,,,,\n"), &["13 fields"]);
    assert_refused(log("\n"), &[":3", "`cell`"]);
    // Fields that do not parse.
    assert_refused(log("0,0,-5,1,send,,,,,,,\n"), &["`time_ns` holds \"-5\"", "negative: virtual time starts at 0"]);
    assert_refused(log("0,0,+5,1,send,,,,,,,\n"), &["`time_ns` holds \"+5\""]);
    assert_refused(log("0,0,1e3,1,send,,,,,,,\n"), &["`time_ns`"]);
    assert_refused(log("0,0,,1,send,,,,,,,\n"), &["`time_ns` holds \"\""]);
    assert_refused(log("0,0,18446744073709551616,1,send,,,,,,,\n"), &["`time_ns`", "2^64"]);
    assert_refused(log("0,0,5,4294967296,send,,,,,,,\n"), &["`node`", "2^32"]);
    assert_refused(log(&header()), &[":3: a second header", "analyse them apart"]);
    assert_refused(log("x,0,5,1,send,,,,,,,\n"), &[":3: ", "`cell` holds \"x\""]);
    assert_refused(log("0,0,5,1,send,,,0123456789ABCDEF,,,,\n"), &["`digest`", "16"]);
    assert_refused(log("0,0,5,1,send,,,12,,,,\n"), &["`digest` holds \"12\""]);
    assert_refused(log("0,0,5,1,boom,,,,,,,\n"), &["unknown event \"boom\"", "version"]);
    assert_refused(log("0,0,5,1,\"send\",,,,,,,\n"), &["quote"]);
    assert_refused(log("0,0,\"5\",1,send,,,,,,,\n"), &["quote"]);
    assert_refused(log("0,0,5,1,attack,,,,,\"x\",,\n"), &["quote"]);
    let mut not_utf8 = log("0,0,5,1,attack,,,,,").into_bytes();
    not_utf8.extend(b"\xff,,\n");
    assert_refused(not_utf8, &[":3", "`message`", "UTF-8"]);
    assert_refused(log(&"7".repeat(1 << 20)), &[":3", "longer than 64 KiB"]);
    assert_refused(log(&format!("0,0,5,1,{},,,,,,,\n", "z".repeat(9_000))), &["zzz…"]);
}

#[test]
fn no_input_panics() {
    let good = format!("{}0,0,5,1,send,1,2,0123456789abcdef,3,prepare,4,text\n", header());
    for at in 0..good.len() {
        for byte in [b',', b'"', b'\n', b'\r', 0, 0xff, b'9', b'-'] {
            let mut log = good.clone().into_bytes();
            log[at] = byte;
            let _ = read(&log);
            log.truncate(at + 1);
            let _ = read(&log);
        }
    }
}

fn run_row() -> RunRow {
    RunRow {
        cell: 1,
        run: 2,
        seed: u64::MAX,
        parameters: vec!["5ms".to_owned(), "a \"b\", c".to_owned()],
        replicas: 4,
        faults: 1,
        corrupted: 0,
        outcome: Outcome::Timeout,
        agreement: true,
        validity: false,
        requests: 10,
        completed: 9,
        messages: 123,
        bytes: 456,
        view_changes: 1,
        virtual_ns: 2_000_000_000,
        fingerprint: 0xabc,
    }
}

fn runs_csv(rows: &[RunRow]) -> String {
    let keys = ["network.delay".to_owned(), "attack".to_owned()];
    let mut writer = RunWriter::new(Vec::new(), &keys).unwrap();
    for row in rows {
        writer.write(row).unwrap();
    }
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

#[test]
fn runs_read_back() {
    let outcomes = [Outcome::Completed, Outcome::Violation, Outcome::Error, Outcome::Timeout];
    let row = |(run, outcome)| RunRow { run, outcome, ..run_row() };
    let rows: Vec<RunRow> = (0..).zip(outcomes).map(row).collect();
    let text = runs_csv(&rows);
    assert_eq!(
        text.lines().last(),
        Some(
            "1,3,18446744073709551615,5ms,\"a \"\"b\"\", c\",4,1,0,timeout,true,false,10,9,123,456,1,\
             2000000000,0000000000000abc"
        )
    );
    let table = RunTable::parse(text.as_bytes(), Path::new("runs.csv")).unwrap();
    assert_eq!(table.swept_keys, ["network.delay", "attack"]);
    assert_eq!(table.rows, rows);

    let mut writer = RunWriter::new(Vec::new(), &[]).unwrap();
    assert!(writer.write(&rows[0]).is_err());
}

#[test]
fn damaged_runs() {
    let good = runs_csv(&[run_row()]);
    let refused = |text: &str, words: &[&str]| {
        let message = RunTable::parse(text.as_bytes(), Path::new("runs.csv")).expect_err("a damaged table").to_string();
        for word in words {
            assert!(message.contains(word), "no {word:?} in: {message}");
        }
    };
    refused("", &["runs.csv:1", "header"]);
    refused("a,b\n", &["runs.csv:1", "header"]);
    refused(&good.replace("attack", "network.delay"), &["`network.delay`", "twice"]);
    refused(good.trim_end(), &["runs.csv:2", "middle of a row"]);
    refused(&good.replace(",timeout,", ",late,"), &["runs.csv:2", "`outcome`", "\"late\""]);
    refused(&good.replace(",123,", ",-123,"), &["`messages`", "\"-123\""]);
    refused(&good.replace(",123,", ","), &["runs.csv:2", "17 fields instead of 18"]);
    refused(&good.replace(",false,", ",0,"), &["`validity`", "`true` or `false`"]);
    refused(&good.replace("0000000000000abc", "abc"), &["`fingerprint`", "16"]);
    refused(&runs_csv(&[run_row(), run_row()]), &["runs.csv:3", "cell 1, run 2", "already"]);

    let missing = RunTable::read(Path::new("no such folder/runs.csv")).unwrap_err().to_string();
    assert!(missing.contains("no such folder") && missing.contains("byzlab run"), "{missing}");
    let missing = EventReader::open(Path::new("no such folder/events.csv"));
    assert!(matches!(missing, Err(LogError::Io { .. })));
}
