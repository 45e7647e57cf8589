//! Any CSV file: what is read, how it is grouped, and what is refused.

use std::fmt::Write;
use std::num::NonZeroUsize;

use byzlab_analysis::statistics::{Attempt, FigureOptions};
use byzlab_analysis::table::{
    ColumnSummary, RowProblem, TableData, TableError, TableOptions, read_table, read_table_file, summarize_series,
    summarize_table,
};

fn read(csv: &str, options: &TableOptions) -> Result<TableData, TableError> {
    read_table(csv.as_bytes(), "t.csv", options)
}

fn summarize(csv: &str, options: &TableOptions) -> Vec<ColumnSummary> {
    let data = read(csv, options).unwrap_or_else(|error| panic!("{error}"));
    let groups = summarize_table(&data, options, &FigureOptions::default()).unwrap();
    let json = serde_json::to_string(&groups).unwrap();
    assert!(!json.contains("NaN") && !json.contains("inf"), "{json}");
    groups
}

/// Of column `x`, as one group.
fn attempts(csv: &str, change: impl Fn(&mut TableOptions)) -> Vec<Attempt> {
    let mut options = TableOptions::of("x");
    change(&mut options);
    let data = read(csv, &options).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(data.groups.len(), 1);
    data.groups[0].sample.attempts().unwrap().to_vec()
}

fn values(csv: &str) -> Vec<f64> {
    attempts(csv, |_| ()).into_iter().map(|attempt| attempt.value().expect("a success")).collect()
}

fn problem(csv: &str, change: impl Fn(&mut TableOptions)) -> (u64, RowProblem) {
    let mut options = TableOptions::of("x");
    change(&mut options);
    match read(csv, &options) {
        Err(error @ TableError::Row { .. }) => {
            assert!(error.to_string().starts_with("t.csv:") && !error.hint().is_empty(), "{error}");
            let TableError::Row { line, problem, .. } = error else { unreachable!() };
            (line, problem)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn fields_are_read_as_the_rfc_says() {
    assert_eq!(values("x\n1\n2.5\n-3e2\n"), [1.0, 2.5, -300.0]);
    assert_eq!(values("x,y\r\n1,a\r\n2,b\r\n"), [1.0, 2.0], "CR LF");
    assert_eq!(values("y,x\r\na,1\r\nb,2"), [1.0, 2.0], "no line end behind the last row");
    assert_eq!(values("\u{feff}x,y\n1,2\n"), [1.0], "a byte order mark");
    assert_eq!(values("\"x\",\"y\"\n\"1\",\"a,b\nc\"\n 2 ,d\n"), [1.0, 2.0], "quotes with delimiter and line end");
    assert_eq!(values("y,x\n\"5\"\"\",1\n5\" pipe,2\n\"\",3\n"), [1.0, 2.0, 3.0], "doubled quotes, and quotes inside");
    assert_eq!(values("y,x\r\n\"\r\n\",\"1\"\r\na,\"2\"\r\n"), [1.0, 2.0], "CR LF and quotes");
    assert_eq!(values("größe,x\nklein,1\n\ngroß,2\n"), [1.0, 2.0], "a blank line is none");
    assert_eq!(attempts("y;x\n1,5;2\n", |options| options.delimiter = b';'), [Attempt::Success(2.0)]);
    assert_eq!(attempts("y\tx\n1 5\t2\n", |options| options.delimiter = b'\t'), [Attempt::Success(2.0)]);
    assert_eq!(attempts("x\n1500000\n", |options| options.scale = 1e-6), [Attempt::Success(1.5)]);
}

#[test]
fn failures_are_kept_and_say_how_long_they_were_watched() {
    let (success, beyond, never) = (Attempt::Success, Attempt::Beyond, Attempt::Never);
    assert_eq!(attempts("x\n1\ninf\n+Infinity\n", |_| ()), [success(1.0), never, never]);
    let limited = |options: &mut TableOptions| options.limit = Some(10.0);
    assert_eq!(attempts("x\n1\ninf\n10\n11\n", limited), [success(1.0), beyond(10.0), success(10.0), beyond(10.0)]);
    let csv = "x,outcome,watched\n1,completed,\n2,timeout,20\n,timeout,30\n3,violation,30\n4,completed,3\n";
    let all = attempts(csv, |options| {
        options.failed = vec!["outcome = timeout".parse().unwrap()];
        options.never = vec!["outcome = violation".parse().unwrap()];
        options.limit_column = Some("watched".to_owned());
    });
    assert_eq!(all, [success(1.0), beyond(20.0), beyond(30.0), never, beyond(3.0)]);
    let empty = |options: &mut TableOptions| (options.empty_is_failure, options.limit) = (true, Some(9.0));
    assert_eq!(attempts("y,x\n1,\n2,nan\n3,4\n", empty), [beyond(9.0), beyond(9.0), success(4.0)]);
}

#[test]
fn what_has_no_value_is_counted() {
    let mut options = TableOptions::of("x");
    options.missing = vec!["NA".to_owned()];
    let group = summarize("y,x\n1,\n2,NaN\n3,NA\n4, \n5,7\n", &options).remove(0);
    assert_eq!((group.rows, group.succeeded, group.missing), (1, 1, 4));
    assert_eq!(group.notes, ["4 rows have no value and are left out"]);
    assert_eq!(group.median.estimate, Some(7.0));
    // With one column, a blank line is a row without a value.
    assert_eq!(summarize("x\n1\n\n2\n", &TableOptions::of("x"))[0].missing, 1);
}

#[test]
fn groups_come_in_the_order_of_their_first_rows() {
    let mut options = TableOptions::of("x");
    options.by = vec!["b".to_owned(), "a".to_owned()];
    options.conditions = vec!["x < 100".parse().unwrap(), "a != skip".parse().unwrap()];
    let csv = "a,b,x\nq,1,5\np,2,6\nskip,1,7\nq,1,7\n\"p\",2,100\nq,1.0,8\n";
    let groups = summarize(csv, &options);
    let keys: Vec<String> = groups.iter().map(|group| format!("{:?}", group.group)).collect();
    assert_eq!(keys[0], r#"[("b", "1"), ("a", "q")]"#);
    assert_eq!(groups.iter().map(|group| group.rows).collect::<Vec<_>>(), [2, 1, 1], "keys are texts: 1 is not 1.0");
    let data = read(csv, &options).unwrap();
    assert_eq!((data.rows, data.excluded), (6, 2));
}

#[test]
fn columns_are_named_if_they_are_wrong() {
    let error = |csv: &str, name: &str| {
        let error = read(csv, &TableOptions::of(name)).unwrap_err();
        format!("{error}\n{}", error.hint())
    };
    let text = error("latency_ms,ok\n1,2\n", "latency_sm");
    assert!(text.contains("t.csv:1: there is no column `latency_sm`") && text.contains("did you mean `latency_ms`?"));
    assert!(text.contains("latency_ms, ok"), "{text}");
    assert!(error("a;b\n1;2\n", "a").contains("--delimiter"));
    assert!(!error("alpha,beta\n", "quantity").contains("did you mean"));
    assert!(error("x,y,x\n1,2,3\n", "x").contains("columns 1 and 3 are both called `x`"));
    assert_eq!(values("x,y,y\n1,2,3\n"), [1.0], "a name that nobody asks for may stand twice");
    assert!(error("", "x").contains("the file is empty") && error("\n\n", "x").contains("empty"));
    let options = TableOptions { by: vec!["z".to_owned()], ..TableOptions::of("x") };
    assert!(matches!(read("x\n1\n", &options), Err(TableError::NoColumn { column, .. }) if column == "z"));
    let options = TableOptions { conditions: vec!["z = 1".parse().unwrap()], ..TableOptions::of("x") };
    assert!(matches!(read("x\n1\n", &options), Err(TableError::NoColumn { column, .. }) if column == "z"));
}

#[test]
fn bad_rows_are_named() {
    let column = || "x".to_owned();
    let none = |_: &mut TableOptions| ();
    let found = |text: &str| RowProblem::NoNumber { column: column(), found: text.to_owned() };
    assert_eq!(problem("x\n1\nfast\n", none), (3, found("fast")));
    assert_eq!(problem("x\n1,5\n", |options| options.delimiter = b';'), (2, found("1,5")));
    assert_eq!(problem("\"x\ny\",x\n\"1\n2\",3\n4,five\n", none), (5, found("five")), "lines inside of quotes count");
    let infinite = |text: &str| RowProblem::NotFinite { column: column(), found: text.to_owned() };
    assert_eq!(problem("x\n-inf\n", none), (2, infinite("-inf")));
    assert_eq!(problem("x\n1e999\n", none), (2, infinite("1e999")));
    assert_eq!(problem("x\n1e308\n", |options| options.scale = 1e3), (2, infinite("1e308")));
    assert_eq!(problem("x,y\n1,2\n3\n4,5\n", none), (3, RowProblem::FieldCount { found: 1, expected: 2 }));
    assert_eq!(problem("x,y\n1,2,\n", none), (2, RowProblem::FieldCount { found: 3, expected: 2 }));
    assert_eq!(problem("x,y\n1,2\n3", none), (3, RowProblem::Cut { found: 1, expected: 2 }));
    assert_eq!(problem("x,y\n1,\"2\"\n\"3\"", none), (3, RowProblem::Cut { found: 1, expected: 2 }));
    assert_eq!(problem("x,y\n1,\"2\n3,4\n", none), (2, RowProblem::OpenQuote));
    let limit = |options: &mut TableOptions| options.limit_column = Some("y".to_owned());
    assert_eq!(problem("x,y\ninf,\n", limit).1, RowProblem::NoLimit { column: "y".to_owned(), found: String::new() });
    let condition = |options: &mut TableOptions| options.conditions = vec!["y > 3".parse().unwrap()];
    assert!(matches!(problem("x,y\n1,few\n", condition), (2, RowProblem::Condition(_))));
    let bytes =
        read_table(&b"y,x\n\xff,1\n"[..], "t.csv", &TableOptions { by: vec!["y".into()], ..TableOptions::of("x") });
    assert!(matches!(bytes, Err(TableError::Row { line: 2, problem: RowProblem::NotUtf8 { .. }, .. })));
}

#[test]
fn lenient_reading_counts_what_it_skips() {
    let options = TableOptions { lenient: true, ..TableOptions::of("x") };
    let data = read("x,y\n1,a\nfast,b\n2\n3,d\n4", &options).unwrap();
    assert_eq!((data.rows, data.skipped, data.groups[0].sample.len()), (5, 3, 2));
    let found = RowProblem::NoNumber { column: "x".to_owned(), found: "fast".to_owned() };
    assert_eq!(data.first_skipped, Some((3, found)));
    // Where none is left, it is the wrong column.
    let error = read("x,y\nfast,1\nslow,2\n", &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "t.csv:2: no row can be used for column `x`; 2 skipped, the first here: column `x` holds `fast`, which is not a number"
    );
    assert!(error.hint().contains("the right column"));
    // Nobody knows where a row ends whose quote is open.
    assert!(read("x,y\n1,\"a\n", &options).is_err());
}

/// What is left of a compressed file that was cut is read on request, and the place of the cut is named.
#[test]
fn cut_compressed_files_are_read_up_to_the_cut() {
    let dir = tempfile::tempdir().unwrap();
    let mut csv = "y,x\n".to_owned();
    for row in 0..200_000_u32 {
        writeln!(csv, "{},{row}", row.wrapping_mul(2_654_435_761) >> 8).unwrap();
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, csv.as_bytes()).unwrap();
    let whole = [gzip.finish().unwrap(), zstd::encode_all(csv.as_bytes(), 1).unwrap()];
    for (bytes, name) in whole.iter().zip(["t.csv.gz", "t.csv.zst"]) {
        let path = dir.path().join(name);
        std::fs::write(&path, &bytes[..bytes.len() * 4 / 5]).unwrap();
        let options = TableOptions::of("x");
        let error = read_table_file(&path, &options).unwrap_err();
        let TableError::Row { line, problem: RowProblem::CutFile, .. } = &error else { panic!("{error}") };
        assert!(*line > 100_000 && error.hint().contains("--lenient"), "{error}");
        let data = read_table_file(&path, &TableOptions { lenient: true, ..options.clone() }).unwrap();
        assert_eq!(
            (data.skipped, data.first_skipped.clone(), data.is_open),
            (1, Some((*line, RowProblem::CutFile)), false)
        );
        let values = data.groups[0].sample.values().unwrap();
        assert_eq!((values.len() as u64 + 1, values.len() as u64 + 2), (data.rows, *line));
        assert_eq!(values, (0..values.len() as u32).map(f64::from).collect::<Vec<_>>());
        // Before its first line is over, nothing can be said.
        std::fs::write(&path, &bytes[..10]).unwrap();
        let error = read_table_file(&path, &TableOptions { lenient: true, ..options }).unwrap_err();
        assert!(matches!(error, TableError::Io { .. }) && error.hint().contains("first line"), "{error}");
    }
}

#[test]
fn a_last_row_without_line_end_may_be_cut() {
    let notes = |csv: &str| summarize(csv, &TableOptions::of("x")).remove(0).notes;
    assert!(notes("y,x\n1,123\n1,12")[0].starts_with("the last row has no line end"));
    assert!(notes("y,x\n1,123\n1,\"12\"")[0].starts_with("the last row has no line end"));
    assert!(notes("y,x\n1,123\n1,12\n").is_empty());
    assert!(notes("x,y\n123,1\n12,1").is_empty(), "what may be cut is not asked for");
    let data = read("y,x\n1,123\n1,12", &TableOptions::of("x")).unwrap();
    let series = summarize_series(&data, &TableOptions::of("x"), 0.95).unwrap();
    assert!(series[0].notes.iter().any(|note| note.starts_with("the last row has no line end")));
}

#[test]
fn a_limit_below_all_values_is_noticed() {
    let with = |limit| summarize("x\n1\n2\n", &TableOptions { limit: Some(limit), ..TableOptions::of("x") }).remove(0);
    assert!(with(-5.0).notes[0].starts_with("every row lies above the limit, -5"), "{:?}", with(-5.0).notes);
    assert_eq!(with(1.0).notes, ["1 of the values lies above the limit and counts as not succeeded within it"]);
    assert!(matches!(
        read("x\n1\n", &TableOptions { limit: Some(f64::NAN), ..TableOptions::of("x") }),
        Err(TableError::Option { option: "limit", .. })
    ));
}

#[test]
fn few_values_have_defined_figures_or_reasons() {
    let figures = |csv: &str| summarize(csv, &TableOptions::of("x")).remove(0);
    let nothing = figures("x\n");
    assert_eq!((nothing.rows, nothing.mean.estimate, nothing.mean.note.as_deref()), (0, None, Some("no row")));
    assert_eq!((nothing.success.estimate, nothing.min, nothing.max), (None, None, None));
    let one = figures("x\n5\n");
    assert_eq!((one.mean.estimate, one.mean.lower, one.max), (Some(5.0), None, Some(5.0)));
    let failed = figures("x\ninf\ninf\n");
    assert_eq!((failed.rows, failed.succeeded, failed.success.estimate), (2, 0, Some(0.0)));
    assert_eq!((failed.mean.estimate, failed.mean.note.as_deref()), (None, Some("no row succeeded")));
    assert!(failed.notes[0].contains("--limit"), "{:?}", failed.notes);
    let equal = figures(&format!("x\n{}", "5\n".repeat(50)));
    assert_eq!((equal.mean.interval(), equal.standard_deviation.estimate), (Some((5.0, 5.0)), Some(0.0)));
    let huge = figures("x\n1.7e308\n-1.7e308\n1.7e308\n");
    assert_eq!(huge.median.estimate, Some(1.7e308));
    let mut options = TableOptions::of("x");
    options.conditions = vec!["x > 9".parse().unwrap()];
    assert_eq!(summarize("x\n", &options)[0].mean.note.as_deref(), Some("no row"));
    options.by = vec!["x".to_owned()];
    assert!(summarize("x\n", &options).is_empty());
    // Where there are rows, what asks for none of them is a mistake.
    for by in [vec!["x".to_owned()], Vec::new()] {
        options.by = by;
        let data = read("x\n1\n2\n", &options).unwrap();
        let error = summarize_table(&data, &options, &FigureOptions::default()).unwrap_err();
        assert_eq!(error.to_string(), "t.csv: no row meets `x > 9`, of 2");
        assert!(error.hint().contains("--where") && summarize_series(&data, &options, 0.95).is_err());
    }
}

#[test]
fn correlated_rows_are_noticed() {
    let series = |step: fn(f64, f64) -> f64| {
        let (mut state, mut x) = (1_u32, 0.0);
        let mut csv = "x\n".to_owned();
        for _ in 0..100_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            x = step(x, f64::from(state >> 8) / f64::from(1_u32 << 24));
            writeln!(csv, "{x}").unwrap();
        }
        let notes = summarize(&csv, &TableOptions::of("x")).remove(0).notes;
        // The same where rows are not kept.
        let sketched = summarize(&csv, &TableOptions { exact: 300, ..TableOptions::of("x") }).remove(0);
        assert!(sketched.relative_error.is_some());
        assert_eq!(sketched.notes[1..], notes);
        notes
    };
    let slow = series(|x, noise| 0.99 * x + noise).remove(0);
    assert!(slow.contains("rows are correlated in the order of the file (lag-1 0.9"), "{slow}");
    assert!(series(|x, noise| 0.7 * x + noise)[0].contains("rows are correlated in the order of the file (lag-1 0."));
    assert!(series(|_, noise| noise).is_empty());
}

/// Enough rows for many blocks; some fields are quoted, with line ends inside, so that both ways of reading are used.
#[test]
fn nothing_depends_on_the_number_of_threads() {
    let mut csv = "id,group,x\n".to_owned();
    for row in 0..200_000_u32 {
        let group = row.wrapping_mul(2_654_435_761) >> 29;
        let id = if row % 60_000 == 59_999 { "\"a\n\"\"b\"\"\"" } else { "measurement" };
        writeln!(csv, "{id},{group},{}", f64::from(row) / 7.0).unwrap();
    }
    let options = TableOptions { by: vec!["group".to_owned()], ..TableOptions::of("x") };
    let with_jobs = |jobs| {
        let options = TableOptions { jobs: NonZeroUsize::new(jobs), ..options.clone() };
        summarize(&csv, &options)
    };
    let one = with_jobs(1);
    assert_eq!(one.iter().map(|group| group.rows).sum::<u64>(), 200_000);
    assert_eq!(one.len(), 8);
    assert_eq!(one, with_jobs(2));
    assert_eq!(one, with_jobs(7));
    assert_eq!(one, with_jobs(usize::MAX));
    // Sums of sketched rows are added in the order of the file too.
    let sketched =
        |jobs| summarize(&csv, &TableOptions { jobs: NonZeroUsize::new(jobs), exact: 5000, ..options.clone() });
    let one = sketched(1);
    assert!(one.iter().all(|group| group.relative_error.is_some()));
    assert_eq!(one, sketched(3));
    // The first error is the same one too.
    for bad in [150_000, 20_000] {
        let (line, _) = csv.match_indices('\n').nth(bad).unwrap();
        csv.replace_range(line..=line, "?\n");
    }
    let error = |jobs| read(&csv, &TableOptions { jobs: NonZeroUsize::new(jobs), ..options.clone() }).unwrap_err();
    assert_eq!(error(1).to_string(), error(3).to_string());
    assert!(error(1).to_string().starts_with("t.csv:20001: "), "{}", error(1));
}

/// More bytes than may be under way at once, in rows of many blocks each; to the end, and to an error on the way.
#[test]
fn a_file_of_long_rows_is_read_piece_by_piece() {
    let filler = "a".repeat(9 << 20);
    let csv = |bad: usize| {
        let rows = (0..12).map(|row| if row == bad { format!("{filler},?\n") } else { format!("{filler},{row}\n") });
        format!("text,x\n{}", rows.collect::<String>())
    };
    let options = |jobs| TableOptions { jobs: NonZeroUsize::new(jobs), ..TableOptions::of("x") };
    for jobs in [1, 3] {
        let data = read(&csv(99), &options(jobs)).unwrap();
        assert_eq!(data.groups[0].sample.values().unwrap(), (0..12).map(f64::from).collect::<Vec<_>>());
        assert!(read(&csv(2), &options(jobs)).unwrap_err().to_string().starts_with("t.csv:4: column `x` holds `?`"));
    }
}

#[test]
fn a_column_that_identifies_rows_makes_no_groups() {
    let csv = (0..100_001).fold("id,x\n".to_owned(), |csv, id| csv + &format!("{id},1\n"));
    let options = TableOptions { by: vec!["id".to_owned()], ..TableOptions::of("x") };
    let error = read(&csv, &options).unwrap_err();
    assert!(error.to_string().contains("more than 100000 groups by id"), "{error}");
}

/// Few exact rows: the large group becomes a sketch, the small one stays as it is.
#[test]
fn too_many_rows_are_sketched() {
    let mut csv = "group,x\nsmall,1\nsmall,2\n".to_owned();
    for row in 0..50_000_u64 {
        writeln!(csv, "large,{}", if row % 10 == 3 { "inf".to_owned() } else { (row * 7919 % 50_000).to_string() })
            .unwrap();
    }
    let options = TableOptions { by: vec!["group".to_owned()], limit: Some(60_000.0), ..TableOptions::of("x") };
    let exact = summarize(&csv, &options);
    let sketched = summarize(&csv, &TableOptions { exact: 1000, ..options.clone() });
    assert_eq!(sketched[0], exact[0]);
    let (exact, sketched) = (&exact[1], &sketched[1]);
    assert_eq!((exact.relative_error, sketched.relative_error), (None, Some(0.005)));
    assert_eq!(
        (exact.rows, exact.succeeded, exact.min, exact.max),
        (sketched.rows, sketched.succeeded, sketched.min, sketched.max)
    );
    assert_eq!(exact.success, sketched.success);
    let close = |left: Option<f64>, right: Option<f64>, error: f64| {
        let (left, right) = (left.unwrap(), right.unwrap());
        assert!((left - right).abs() <= error * left.abs(), "{left} {right}");
    };
    for (exact, sketched) in
        [(&exact.mean, &sketched.mean), (&exact.unconditional.restricted_mean, &sketched.unconditional.restricted_mean)]
    {
        close(exact.estimate, sketched.estimate, 1e-12);
        close(exact.lower, sketched.lower, 1e-12);
    }
    for (exact, sketched) in [
        (&exact.median, &sketched.median),
        (&exact.p99, &sketched.p99),
        (&exact.unconditional.median, &sketched.unconditional.median),
    ] {
        // Type 7 lies between two neighbours, of which the sketch has one.
        close(exact.estimate, sketched.estimate, 0.0051);
        assert!(sketched.method.contains("approximate within 0.5 %"), "{}", sketched.method);
        let ((lower, upper), (low, high)) = (exact.interval().unwrap(), sketched.interval().unwrap());
        assert!(low <= lower && upper <= high, "{exact:?} {sketched:?}");
    }
    let (exact, sketched) = (&exact.unconditional.p99, &sketched.unconditional.p99);
    assert_eq!((sketched.estimate, sketched.above), (None, Some(60_000.0)));
    assert_eq!((exact.estimate, exact.above), (sketched.estimate, sketched.above));
}

/// A group that takes less memory as it is stays as it is, however many there are.
#[test]
fn small_groups_are_not_sketched() {
    let mut csv = "group,x\n".to_owned();
    for row in 0..1_100_000_u32 {
        writeln!(csv, "{},{}", row % 100_000, row.wrapping_mul(2_654_435_761) >> 8).unwrap();
    }
    for row in 0..30_000 {
        writeln!(csv, "7,{}", row % 1000).unwrap();
    }
    let options = TableOptions { by: vec!["group".to_owned()], exact: 1000, ..TableOptions::of("x") };
    let data = read(&csv, &options).unwrap();
    assert_eq!(data.groups.len(), 100_000);
    for group in &data.groups {
        assert_eq!(group.sample.relative_error().is_some(), group.key == ["7"], "{:?}", group.key);
    }
}

/// What a sketch cannot say has a reason; the rest is as of rows that are kept.
#[test]
fn sketched_edges_are_defined_or_have_a_reason() {
    let options = TableOptions { exact: 0, ..TableOptions::of("x") };
    let figures = |csv: &str| summarize(csv, &options).remove(0);
    assert_eq!(figures("x\n5\n").relative_error, None, "it would take more memory");
    let equal = figures(&format!("x\n{}", "5\n".repeat(200)));
    assert_eq!(
        (equal.relative_error, equal.min, equal.mean.estimate, equal.mean.lower),
        (Some(0.005), Some(5.0), Some(5.0), Some(5.0))
    );
    assert_eq!(equal.median.estimate, Some(5.0));
    let failed = figures(&format!("x\n{}", "inf\n".repeat(200)));
    assert_eq!((failed.relative_error, failed.rows), (Some(0.005), 200));
    assert_eq!((failed.rows, failed.succeeded, failed.mean.note.as_deref()), (200, 0, Some("no row succeeded")));
    assert_eq!((failed.unconditional.median.estimate, failed.unconditional.median.above), (None, None));
    let below = figures(&format!("x\n{}", "-5\n0\n".repeat(500)));
    let median = &below.median;
    assert_eq!(
        (below.min, below.max, median.estimate.map(|it| (-5.03..=-4.97).contains(&it))),
        (Some(-5.0), Some(0.0), Some(true))
    );
    assert!(median.lower.unwrap() <= -4.97 && median.upper == Some(0.0), "{median:?}");
    let limits = TableOptions { limit_column: Some("limit".to_owned()), ..options };
    let differ = summarize(&format!("x,limit\n{}", "inf,3\n9,20\ninf,10\n".repeat(100)), &limits).remove(0);
    assert_eq!(differ.relative_error, Some(0.005));
    let all = &differ.unconditional;
    assert!(all.median.note.as_deref().is_some_and(|note| note.contains("limits differ")), "{all:?}");
    assert!(all.restricted_mean.estimate.is_none() && all.restricted_mean.note.is_some());
    assert_eq!(differ.success.estimate, Some(1.0 / 3.0));
}
