use super::super::document::Document;
use super::*;

fn nanoseconds(text: &str) -> Option<u64> {
    text.parse().ok().map(|Nanoseconds(amount)| amount)
}

/// The message of `key = value`, read as a `kind`.
fn complaint<T: fmt::Debug>(value: &str, kind: Kind<'_, T>) -> String {
    let document = Document::parse("a.toml", &format!("[t]\nkey = {value}")).unwrap();
    let error = document.root().section("t").unwrap().required("key", kind).unwrap_err();
    error.to_string()
}

#[test]
fn durations_are_exact() {
    for (text, amount) in [
        ("0ms", 0),
        ("10ns", 10),
        ("250us", 250_000),
        ("250µs", 250_000),
        ("250μs", 250_000),
        ("0.1ms", 100_000),
        ("1.000000001s", 1_000_000_001),
        ("1.50000000000000000000000000000000000000000s", 1_500_000_000),
        ("000000000000000000000000000000000005ms", 5_000_000),
        (" 5 ms ", 5_000_000),
        ("2min", 120_000_000_000),
        ("0.0000000000025h", 9),
        ("1.5h", 5_400_000_000_000),
        ("18446744073709551615ns", u64::MAX),
        ("18446744073.709551615s", u64::MAX),
    ] {
        assert_eq!(nanoseconds(text), Some(amount), "{text}");
    }
}

#[test]
fn what_is_no_duration_is_refused() {
    for text in [
        "",
        " ",
        ".",
        "5",
        "ms",
        ".5s",
        "5.s",
        "1.2.3s",
        "5ms5",
        "5e3ms",
        "+5ms",
        "٥ms",
        "0.1ns",
        "1_0ms",
        "0.00000000000000000000000000000000000000000000001h",
        "18446744073709551616ns",
        "6000000h",
        "99999999999999999999999999999999999999999999999999h",
    ] {
        assert_eq!(nanoseconds(text), None, "{text}");
    }
}

#[test]
fn the_shortest_exact_form_is_printed() {
    for text in
        ["0ms", "1ns", "5ms", "1.5s", "250us", "500ms", "90s", "1.5h", "1.05ms", "1.234567891s", "2min", "999ns"]
    {
        let parsed: Nanoseconds = text.parse().unwrap();
        assert_eq!(parsed.to_string(), text);
    }
    assert_eq!(Bytes(0).to_string(), "0B");
    assert_eq!(Bytes(1024).to_string(), "1KiB");
    assert_eq!(Bytes(1_500_000).to_string(), "1.5MB");
    assert_eq!(Bytes(1_537).to_string(), "1537B");
    assert_eq!(format!("{:>6}", Nanoseconds(5_000_000)), "   5ms");
}

#[test]
fn what_is_printed_reads_back() {
    let mut amount = 1_u64;
    for step in 0..20_000_u64 {
        // All magnitudes, round and crooked.
        amount = amount.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step);
        let amount = match step % 3 {
            0 => amount >> (step % 64),
            1 => 10_u64.pow((step % 20) as u32),
            _ => (amount % 1000) << (step % 54),
        };
        assert_eq!(Nanoseconds(amount).to_string().parse(), Ok(Nanoseconds(amount)));
        assert_eq!(Bytes(amount).to_string().parse(), Ok(Bytes(amount)));
    }
    assert_eq!(Nanoseconds(u64::MAX).to_string().parse(), Ok(Nanoseconds(u64::MAX)));
}

#[test]
fn sizes() {
    for (text, amount) in
        [("512B", 512), ("2KB", 2_000), ("1KiB", 1 << 10), ("1.5MiB", 3 << 19), ("0.5GB", 500_000_000)]
    {
        assert_eq!(text.parse(), Ok(Bytes(amount)), "{text}");
    }
    assert!("0.5B".parse::<Bytes>().is_err());
    assert!("17179869184GiB".parse::<Bytes>().is_err());
}

#[test]
fn shares() {
    for (text, parts, printed) in [
        ("5%", 50_000_000, "5%"),
        ("0.5 %", 5_000_000, "5000ppm"),
        ("250%", 2_500_000_000, "250%"),
        ("1ppb", 1, "1ppb"),
        ("0%", 0, "0%"),
    ] {
        let share: Share = text.parse().unwrap();
        assert_eq!((share, share.to_string().parse()), (Share(parts), Ok(share)), "{text} is printed as {share}");
        assert_eq!(share.to_string(), printed);
    }
    assert!("0.0000000001%".parse::<Share>().is_err(), "less than one part of a billion");
}

#[test]
fn errors_as_users_see_them() {
    let allowed = r#"allowed: a duration such as "5ms", "1.5s", "250us", "10ns" (also min, h)"#;
    for (value, problem, hint) in [
        (r#""5 apples""#, "unknown unit `apples`", r#"write "5ms" if milliseconds are meant"#),
        (r#""5 seconds""#, "unknown unit `seconds`", r#"did you mean "5s"?"#),
        (r#""5MS""#, "unknown unit `MS`", r#"did you mean "5ms"?"#),
        (r#""5 minz""#, "unknown unit `minz`", r#"did you mean "5min"?"#),
        (r#""1,5s""#, "unknown unit `,5s`", "write decimals with a point"),
        ("5", "a unit is missing", r#"write "5ms" if milliseconds are meant"#),
        ("0.5", "a unit is missing", r#"write "0.5ms" if milliseconds are meant"#),
        (r#""5""#, "a unit is missing", r#"write "5ms" if milliseconds are meant"#),
        (r#""-5ms""#, "must not be negative", ""),
        ("-5", "must not be negative", ""),
        (r#""0.3ns""#, "not a whole number of ns", ""),
        (r#""6000000h""#, "too large: at most 18446744073.709551615s", ""),
        (r#""ms""#, "there is no number before the unit", ""),
        (r#""1..5ms""#, "`1..5` is not a number", ""),
        ("true", "this is a boolean", ""),
        ("[]", "this is a list", ""),
        ("inf", "this is a decimal number", ""),
    ] {
        let hint = if hint.is_empty() { String::new() } else { format!("\n  hint: {hint}") };
        assert_eq!(complaint(value, duration()), format!("a.toml:2: t.key = {value}: {problem}\n  {allowed}{hint}"));
    }
    assert_eq!(
        complaint("512", bytes()),
        "a.toml:2: t.key = 512: a unit is missing\n  allowed: a size such as \"512B\", \"1KiB\", \"2.5MB\" \
         (B, KB, KiB, MB, MiB, GB, GiB)\n  hint: write \"512B\" if bytes are meant"
    );
}

#[test]
fn a_range_of_durations() {
    assert_eq!(
        complaint("\"0s\"", duration().within(Nanoseconds(1)..)),
        "a.toml:2: t.key = \"0s\": too small\n  allowed: a duration such as \"5ms\", \"1.5s\", \"250us\", \
         \"10ns\" (also min, h), at least 1ns"
    );
}

#[test]
fn probabilities() {
    let read = |value: &str| {
        let document = Document::parse("a.toml", &format!("p = {value}")).unwrap();
        document.root().required("p", probability()).map(Probability::get)
    };
    assert_eq!(read("0"), Ok(0.0));
    assert_eq!(read("1"), Ok(1.0));
    assert_eq!(read("0.25"), Ok(0.25));
    assert_eq!(read("-0.0").map(f64::to_bits), Ok(0.0_f64.to_bits()));
    assert_eq!(
        complaint("50", probability()),
        "a.toml:2: t.key = 50: not a probability\n  allowed: a probability from 0 to 1\n  \
         hint: write 0.5 for 50 percent"
    );
    for value in ["-0.1", "nan", "inf", "1.0000001", "101", "'0.5'"] {
        assert!(read(value).is_err(), "{value}");
    }
}
