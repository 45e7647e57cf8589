//! `hunt.toml`: how far a hunt has come, so that it can go on from there.
//!
//! Findings are kept as the runs that they are of: a run is a function of its number, so what it shows is found out again.

use super::finding::Break;
use super::{HuntError, Hunter, State};
use crate::config::{ConfigError, Document, Value, integer, text};
use std::fmt::Write;
use std::fs;
use std::path::Path;

const NAME: &str = "hunt.toml";
const CONFIG: &str = "config.toml";

/// Makes the folder of a hunt, or looks whether the hunt in it can go on as this one; then it is taken up from there.
pub(super) fn open(hunter: &Hunter<'_>, folder: &Path, how: super::Folder) -> Result<State, HuntError> {
    let (config, progress) = (folder.join(CONFIG), folder.join(NAME));
    if folder.is_file() {
        return Err(HuntError::NoFolder { path: folder.to_owned() });
    }
    let is_empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    match (progress.exists(), how) {
        (false, _) if !is_empty => return Err(HuntError::NoHunt { folder: folder.to_owned() }),
        (true, super::Folder::Resume) => {
            let read = |path: &Path| {
                fs::read_to_string(path).map_err(|source| HuntError::Read { path: path.to_owned(), source })
            };
            if let Some(difference) = difference(&read(&config)?, &hunter.experiment.to_toml()) {
                let what = "configuration".to_owned();
                return Err(HuntError::Differs { folder: folder.to_owned(), what, difference });
            }
            return restore(hunter, folder, &progress.display().to_string(), &read(&progress)?);
        }
        (true, super::Folder::New) => return Err(HuntError::Occupied { folder: folder.to_owned(), found: NAME }),
        _ => {}
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| HuntError::Write { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    // First what tells the folder of a hunt from others.
    let state = State::default();
    save(hunter, &state, folder)?;
    let findings = folder.join("findings");
    if findings.exists() {
        fs::remove_dir_all(&findings).map_err(failed(&findings))?;
    }
    fs::write(&config, hunter.experiment.to_toml()).map_err(failed(&config))?;
    Ok(state)
}

/// The first line in which two configurations differ, with its table; none if they are the same.
fn difference(before: &str, now: &str) -> Option<String> {
    let mut lines = (before.lines(), now.lines());
    let mut table = "";
    loop {
        let (before, now) = match (lines.0.next(), lines.1.next()) {
            (None, None) => return None,
            (before, now) => (before.unwrap_or_default(), now.unwrap_or_default()),
        };
        if before != now {
            return Some(format!(": {table} has `{}` there and `{}` here", before.trim(), now.trim()));
        }
        if now.starts_with('[') {
            table = now;
        }
    }
}

/// Writes how far a hunt has come, at once or not at all.
pub(super) fn save(hunter: &Hunter<'_>, state: &State, folder: &Path) -> Result<(), HuntError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| HuntError::Write { path, source }
    };
    let (path, draft) = (folder.join(NAME), folder.join("hunt.toml.new"));
    fs::write(&draft, render(hunter, state)).map_err(failed(&draft))?;
    fs::rename(&draft, &path).map_err(failed(&path))
}

fn render(hunter: &Hunter<'_>, state: &State) -> String {
    let mut out = format!(
        "# How far this hunt has come; `byzlab hunt … --resume` goes on from here.\n\n[hunt]\nseed = {}\n\
         shrink = {}\nruns = {}\n",
        hunter.seed, hunter.shrinks, state.runs
    );
    if let Some(corrupt) = hunter.corrupt {
        let _ = writeln!(out, "corrupt = {corrupt}");
    }
    out += "\n[violations]             # runs, by what was violated first\n";
    for (what, count) in Break::all().zip(state.broken) {
        let _ = writeln!(out, "{what} = {count}");
    }
    for (place, finding) in state.findings.iter().enumerate() {
        let quoted = |text: &str| Value::Text(text.to_owned()).to_string();
        let _ = write!(
            out,
            "\n[[finding]]\nsignature = {}\nwhat = \"{}\"\ncount = {}\nfirst_run = {}\nrun = {}\nfaults = {}\nfolder = {}\n",
            quoted(&finding.signature),
            finding.what,
            finding.count,
            finding.first_run,
            finding.run,
            finding.schedule.faults.len(),
            quoted(&finding.folder(place)),
        );
    }
    out
}

/// The state that a text tells of.
fn restore(hunter: &Hunter<'_>, folder: &Path, name: &str, written: &str) -> Result<State, HuntError> {
    let document = Document::parse(name, written)?;
    let root = document.root();
    let hunt = root.section("hunt")?;
    let differs = |what: String| HuntError::Differs { folder: folder.to_owned(), what, difference: String::new() };
    let seed: u64 = hunt.required("seed", integer(0..))?;
    if seed != hunter.seed {
        return Err(differs(format!("seed, {seed},")));
    }
    let corrupt: Option<u16> = hunt.optional("corrupt", integer(0..))?;
    if corrupt != hunter.corrupt {
        let before = corrupt.map_or("nothing".to_owned(), |count| count.to_string());
        return Err(differs(format!("--corrupt, {before},")));
    }
    if hunt.required("shrink", crate::config::boolean())? != hunter.shrinks {
        return Err(differs("choice whether to shrink".to_owned()));
    }
    let mut state = State { runs: hunt.required("runs", integer(0..))?, ..State::default() };
    let violations = root.section("violations")?;
    for (what, count) in Break::all().zip(&mut state.broken) {
        *count = violations.required(what.code(), integer(0..))?;
    }
    for section in root.sections("finding")? {
        let codes = Break::all().map(|what| (what.code(), what)).collect::<Vec<_>>();
        let what = section.required("what", crate::config::word(codes))?;
        let run: u64 = section.required("run", integer(0..=state.runs.saturating_sub(1)))?;
        let signature: String = section.required("signature", text())?;
        let shown = hunter.finding(run, what);
        let Some(mut finding) = shown.clone().filter(|finding| finding.signature == signature) else {
            let shown = shown.map_or(format!("no violation of {what}"), |finding| finding.signature);
            let problem = format!("run {run} shows something else now: {shown}");
            let remedy = "another version of byzlab made this folder: start anew with --force, or with another --out";
            return Err(ConfigError::new(section.origin("signature"), problem).hint(remedy).into());
        };
        finding.count = section.required("count", integer(1..))?;
        finding.first_run = section.required("first_run", integer(0..))?;
        for known in ["faults", "folder"] {
            section.value(known);
        }
        state.findings.push(finding);
    }
    root.finish()?;
    Ok(state)
}
