//! The plots of distributions: curves, bins, percentiles, and what is said of what is missing.

use std::fs;
use std::path::{Path, PathBuf};

use byzlab_analysis::statistics::Attempt;
use byzlab_analysis::{DistributionGroup, DistributionLabels, write_distribution_plots};

fn labels() -> DistributionLabels {
    DistributionLabels {
        title: "Consensus latency (all_commit)".to_owned(),
        value: "mean latency of a run [ms of virtual time]".to_owned(),
        unit: "runs".to_owned(),
        success: "completed".to_owned(),
        confidence: 0.95,
    }
}

/// A temporary folder, or one below `BYZLAB_PLOTS` to look at what is drawn.
fn folder(name: &str) -> (tempfile::TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let dir = std::env::var_os("BYZLAB_PLOTS").map_or_else(|| temporary.path().to_owned(), PathBuf::from).join(name);
    fs::create_dir_all(&dir).unwrap();
    (temporary, dir)
}

/// Numbers alone stand where numbers belong. The SVG has been parsed: it was rendered.
fn assert_sound(svg: &str) {
    for line in svg.lines().filter(|line| !line.starts_with("<text")) {
        assert!(!line.contains("NaN") && !line.contains("inf"), "{line}");
    }
    for wrong in [">NaN", ">inf", "> NaN", " NaN"] {
        assert!(!svg.contains(wrong), "{wrong}: {svg}");
    }
}

fn read(dir: &Path, name: &str) -> String {
    let svg = fs::read_to_string(dir.join(name)).unwrap();
    assert_sound(&svg);
    svg
}

/// `ecdf.svg`, `histogram.svg` and `quantiles.svg`.
fn draw(name: &str, groups: &[DistributionGroup]) -> [String; 3] {
    let (_temporary, dir) = folder(name);
    let written = write_distribution_plots(&dir, groups, &labels()).unwrap();
    let names: Vec<_> = written.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    assert_eq!(names, ["ecdf.svg", "ecdf.png", "histogram.svg", "histogram.png", "quantiles.svg", "quantiles.png"]);
    for path in written.iter().filter(|path| path.extension().is_some_and(|end| end == "png")) {
        assert!(fs::read(path).unwrap().starts_with(b"\x89PNG"));
    }
    ["ecdf.svg", "histogram.svg", "quantiles.svg"].map(|file| read(&dir, file))
}

/// So many successes around `center`, skewed to the right, and so many failures.
fn group(label: &str, center: f64, successes: u32, failures: u32) -> DistributionGroup {
    let value = |index: u32| {
        let share = (f64::from(index) + 0.5) / f64::from(successes);
        Attempt::Success(center * (1.0 + 0.15 * (share / (1.0 - share)).ln() + 0.2 * share * share))
    };
    let attempts = (0..successes).map(value).chain((0..failures).map(|_| Attempt::Beyond(2000.0)));
    DistributionGroup { label: label.to_owned(), attempts: attempts.collect() }
}

fn plain(values: &[f64]) -> DistributionGroup {
    DistributionGroup { label: String::new(), attempts: values.iter().copied().map(Attempt::Success).collect() }
}

/// The texts one after the other, as if no caption had been broken into lines.
fn texts(svg: &str) -> String {
    let text = |line: &str| Some(line.split_once('>')?.1.split_once('<')?.0.to_owned());
    let texts: Vec<String> = svg.lines().filter(|line| line.starts_with("<text")).filter_map(text).collect();
    texts.join(" ")
}

fn count(svg: &str, start: &str) -> usize {
    svg.lines().filter(|line| line.starts_with(start)).count()
}

/// The points of the polylines, in units of the SVG.
fn lines(svg: &str) -> Vec<Vec<(f64, f64)>> {
    let point = |text: &str| {
        let (x, y) = text.split_once(',').unwrap();
        (x.parse().unwrap(), y.parse().unwrap())
    };
    let points = |line: &str| line.split('"').nth(1).unwrap().split(' ').map(point).collect::<Vec<(f64, f64)>>();
    svg.lines().filter(|line| line.starts_with("<polyline")).map(points).filter(|points| points.len() > 2).collect()
}

#[test]
fn three_groups_of_which_some_fail() {
    let groups = [
        group("adversary.count = 0", 84.0, 200, 0),
        group("adversary.count = 1", 93.0, 180, 20),
        group("adversary.count = 3", 111.0, 131, 69),
    ];
    let [ecdf, histogram, quantiles] = draw("three", &groups);
    for text in [
        "Consensus latency (all_commit): distribution ",
        "mean latency of a run [ms of virtual time]",
        "share of all runs [%]",
        "20 of 200 (adversary.count = 1)",
        "69 of 200 (adversary.count = 3)",
        "95 % band",
        "adversary.count = 3",
    ] {
        assert!(texts(&ecdf).contains(text), "{text}");
    }
    assert_eq!(ecdf.matches("<pattern").count(), 3, "a band for each of three");
    // A curve ends at the success rate: of a plot 300 high, from 354 up.
    let ends: Vec<f64> = lines(&ecdf).iter().map(|points| points[points.len() - 1].1).collect();
    assert_eq!(ends, [54.0, 354.0 - 270.0, 354.0 - 300.0 * 131.0 / 200.0].map(|y: f64| (y * 100.0).round() / 100.0));
    for text in [
        "+ 69 of 200 not completed",
        "all 200 completed",
        "runs a bin",
        "Freedman and Diaconis for the narrowest group",
    ] {
        assert!(texts(&histogram).contains(text), "{text}");
    }
    for text in ["percentile of all runs", "95 % order-statistic intervals", "&gt; 2000", "not completed"] {
        assert!(texts(&quantiles).contains(text), "{text}");
    }
    // The same percentiles of all groups, markers at them alone: of circles one a percentile, below the legend's none.
    let attribute = |line: &str, name: &str| -> Option<f64> {
        line.split_once(&format!(" {name}=\""))?.1.split_once('"')?.0.parse().ok()
    };
    let circles: Vec<f64> = quantiles
        .lines()
        .filter(|line| line.starts_with("<circle"))
        .filter_map(|line| attribute(line, "cx"))
        .filter(|x| lines(&quantiles)[0].iter().any(|(point, _)| (point - x).abs() < 0.02))
        .collect();
    assert_eq!(circles.len(), 7, "{circles:?}");
    // Arrows of the second group, above those of the third: at 95 and 99, and 75 to 99.
    let arrows: Vec<(f64, f64)> = quantiles
        .lines()
        .filter(|line| line.starts_with("<line") && line.ends_with(r#"stroke-width="2"/>"#))
        .filter(|line| attribute(line, "x1") == attribute(line, "x2"))
        .filter_map(|line| attribute(line, "x1").zip(attribute(line, "y1")))
        .collect();
    let (second, third): (Vec<_>, Vec<_>) = arrows.iter().partition(|(_, y)| *y < 54.0 + 16.0);
    assert_eq!((second.len(), third.len()), (2, 4), "{arrows:?}");
    assert!(second.iter().all(|(x, _)| third.iter().any(|(other, _)| (x - other).abs() < 0.005)), "{arrows:?}");
    // The line of the third ends at the 65th percentile: 131 of 200 are 65.5 %.
    assert_eq!(lines(&quantiles)[2].len(), 65);
}

#[test]
fn the_bins_hold_every_value() {
    let values: Vec<f64> = (0..1000).map(|index| f64::from(index * 7919 % 1000)).collect();
    let [_, histogram, _] = draw("bins", &[plain(&values)]);
    // Freedman and Diaconis: 2 · 499.5 / 10 = 99.9, rounded down to 50: twenty bars of 50.
    assert!(texts(&histogram).contains("width 50, a round number near the 99.900"), "{histogram}");
    assert_eq!(count(&histogram, "<polygon"), 20);
}

/// The bins of all values together would show the narrow group as one bar.
#[test]
fn the_narrowest_group_decides_how_wide_the_bins_are() {
    let groups = [group("narrow", 40.0, 200, 0), group("wide", 2000.0, 200, 0)];
    let [_, histogram, _] = draw("narrow and wide", &groups);
    assert!(histogram.contains("(log scale)"));
    let bars = |from: &str, to: &str| {
        let panel = histogram.split(&format!(">{from}<")).nth(1).unwrap();
        let panel = if to.is_empty() { panel } else { panel.split(&format!(">{to}<")).next().unwrap() };
        count(panel, "<polygon")
    };
    // A bar stands before the name of its group.
    assert!(bars("narrow", "wide") >= 8 && count(&histogram, "<polygon") <= 60, "{histogram}");
    // Few values decide nothing.
    let few = [plain(&[500.0, 500.001, 500.002]), group("wide", 2000.0, 200, 0)];
    let [_, histogram, _] = draw("few and wide", &few);
    assert!(!texts(&histogram).contains("limited to"), "{}", texts(&histogram));
}

#[test]
fn many_groups_are_a_selection_and_the_caption_says_so() {
    let mut groups: Vec<DistributionGroup> =
        (0..11).map(|index| group(&format!("key = {index}"), 50.0 + f64::from(index), 40, 2)).collect();
    groups.push(group("key = 11", 1.0, 0, 42));
    let [ecdf, histogram, quantiles] = draw("many", &groups);
    for svg in [&ecdf, &histogram, &quantiles] {
        for key in ["key = 0<", "key = 2<", "key = 4<", "key = 6<", "key = 8<", "key = 10<"] {
            assert!(svg.contains(key), "{key}");
        }
        assert!(!svg.contains("key = 1<") && !svg.contains("key = 9<"));
    }
    assert!(texts(&ecdf).contains("6 of 11 groups with values") && texts(&ecdf).contains("none completed: key = 11"));
    assert!(texts(&ecdf).contains("Not drawn: the 95 % bands") && !ecdf.contains("<pattern"));
}

#[test]
fn long_names_stay_distinct_in_the_legend() {
    let drops = ["0.0", "0.001"].map(|drop| format!("adversary.count = 0, network.drop = {drop}"));
    let [ecdf, ..] = draw("long names", &drops.each_ref().map(|label| group(label, 50.0, 20, 2)));
    assert!(ecdf.contains(">count = 0, drop = 0.0<") && ecdf.contains(">count = 0, drop = 0.001<"), "{ecdf}");
    let [ecdf, ..] = draw("longer names", &[group(&format!("{}end", "x".repeat(60)), 50.0, 20, 2)]);
    assert!(ecdf.contains(&format!(">…{}end<", "x".repeat(30))), "{ecdf}");
}

#[test]
fn nothing_to_draw() {
    let (_temporary, dir) = folder("nothing");
    let failed = [group("all failed", 1.0, 0, 5)];
    let odd = [plain(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY])];
    for groups in [&[][..], &failed, &odd, &[plain(&[])]] {
        assert_eq!(write_distribution_plots(&dir, groups, &labels()).unwrap(), Vec::<PathBuf>::new());
    }
}

#[test]
fn odd_samples() {
    let [ecdf, histogram, _] = draw("one", &[plain(&[7.5])]);
    assert!(texts(&ecdf).contains("1 run, completed.") && texts(&histogram).contains("the one run completed"));
    draw("two", &[plain(&[1.0, 2.0])]);
    let [_, histogram, _] = draw("equal", &[plain(&[3.0; 50])]);
    assert!(texts(&histogram).contains("a single one") && count(&histogram, "<polygon") == 1);
    draw("zeros", &[plain(&[0.0; 4])]);
    draw("negative", &[plain(&[-5.0, -4.0, -1.5, -1.0, -0.5])]);
    // The quartiles agree, the values do not.
    let mut ties = vec![5.0; 90];
    ties.extend([1.0, 9.0]);
    let [_, histogram, _] = draw("ties", &[plain(&ties)]);
    assert!(texts(&histogram).contains("Sturges"));
    for (name, values) in [
        ("huge", [-1.7e308, 1.0, 1.7e308]),
        ("tiny", [5e-324, 1e-310, 2e-308]),
        ("far apart", [5e-324, 1.0, 1.7e308]),
        ("close", [1e15, 1e15 + 1.0, 1e15 + 2.0]),
    ] {
        draw(name, &[plain(&values)]);
    }
    // What is no number is left out, and said; infinity is a failure.
    let mixed = plain(&[1.0, f64::NAN, 2.0, f64::NEG_INFINITY, f64::INFINITY]);
    let mixed = DistributionGroup {
        attempts: mixed
            .attempts
            .into_iter()
            .map(|attempt| match attempt {
                Attempt::Success(value) if value == f64::INFINITY => Attempt::Never,
                other => other,
            })
            .collect(),
        ..mixed
    };
    let [ecdf, _, quantiles] = draw("mixed", &[mixed]);
    assert!(texts(&ecdf).contains("Left out: 2 runs without a number") && texts(&ecdf).contains("1 of 3"), "{ecdf}");
    assert!(quantiles.contains(">completed<"), "no limit is known: {quantiles}");
}

#[test]
fn heavy_tails_are_drawn_on_a_logarithmic_axis() {
    let values: Vec<f64> = (0..400).map(|index| (f64::from(index) * 0.02 - 2.0).exp()).collect();
    let [ecdf, histogram, quantiles] = draw("tails", &[plain(&values)]);
    for svg in [&ecdf, &histogram, &quantiles] {
        assert!(svg.contains("(log scale)"));
    }
    assert!(texts(&histogram).contains("on the logarithms"));
}

#[test]
fn a_curve_of_many_values_stays_small() {
    let values: Vec<f64> = (0..200_000).map(f64::from).collect();
    let [ecdf, ..] = draw("many values", &[plain(&values)]);
    assert!(ecdf.len() < 300_000, "{}", ecdf.len());
}
