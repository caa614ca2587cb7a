//! `tank describe`: everything that is known of one pod.

use std::io;

use clap::Args;
use jiff::Timestamp;

use super::failure::{DONE, Failure};
use super::flags::Output;
use super::list;
use super::people;
use super::ps;
use super::table::{Column, Table};
use super::ui::{FAINT, STRONG, Stream};
use super::{Context, Outcome};
use crate::app::report::{ContainerReport, DescribeReport, PodSummary, Sync};
use crate::model::{PodName, ProbeHealth, render};
use crate::sys::clock;

/// Show the spec, the state and the recent past of a pod
///
/// The place to look first when something does not run: how each container ended and why, and
/// what a pass would do about it. What is not known is called unknown.
#[derive(Debug, Args)]
pub struct DescribeArgs {
    /// The pod
    name: PodName,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &DescribeArgs, context: &mut Context) -> Outcome {
    let app = context.open_existing()?.ok_or_else(|| Failure::no_such_pod(&args.name))?;
    let report = app.describe(&args.name)?;
    if args.output.is_json() {
        context.ui.out.json(&report)?;
    } else {
        print(&mut context.ui.out, &report, clock::now())?;
    }
    Ok(DONE)
}

fn print(out: &mut Stream, report: &DescribeReport, now: Timestamp) -> io::Result<()> {
    summary(out, report, now)?;
    heading(out, "Containers")?;
    if report.instances.is_empty() {
        out.line("  none was started yet")?;
    }
    for instance in &report.instances {
        container(out, instance)?;
    }
    if !report.steps.is_empty() {
        heading(out, "Steps")?;
        steps(out, report)?;
    }
    if !report.events.is_empty() {
        heading(out, "Events")?;
        events(out, report)?;
    }
    if !report.notes.is_empty() {
        heading(out, "Notes")?;
        for note in &report.notes {
            out.line(&format!("  {note}"))?;
        }
    }
    heading(out, "Spec")?;
    for line in render::to_toml(&report.spec).lines() {
        out.line(format!("  {line}").trim_end())?;
    }
    Ok(())
}

fn heading(out: &mut Stream, title: &str) -> io::Result<()> {
    out.text("\n")?;
    out.styled(STRONG, title)?;
    out.text("\n")
}

fn summary(out: &mut Stream, report: &DescribeReport, now: Timestamp) -> io::Result<()> {
    let pod: &PodSummary = &report.summary;
    let (style, status) = list::status_text(pod, now);
    out.styled(STRONG, pod.name.as_str())?;
    out.text("  ")?;
    out.styled(style, &status)?;
    let restarts = people::count(pod.restarts as usize, "restart");
    out.line(&format!("  {} ready, {restarts}", list::ready(pod)))?;
    let ago = |then| format!("{then} ({} ago)", people::age(then, now));
    let mut facts = vec![
        ("created", ago(pod.created_at)),
        ("changed", ago(report.updated_at)),
        ("generation", pod.generation.to_string()),
    ];
    if let Some(ip) = pod.ip {
        facts.push(("address", ip.to_string()));
    }
    for (name, value) in &pod.labels {
        facts.push(("label", format!("{name} = {value}")));
    }
    match pod.sync {
        Sync::Sync => {
            facts.push(("sync", "a pass would change nothing".to_owned()));
            facts.extend(pod.reasons.iter().map(|reason| ("reason", reason.clone())));
        }
        Sync::Diverged if pod.reasons.is_empty() => {
            facts.push(("diverged", "`tank plan` says what a pass would do".to_owned()));
        }
        Sync::Diverged => {
            facts.extend(pod.reasons.iter().map(|reason| ("diverged", reason.clone())));
        }
    }
    for (name, value) in facts {
        out.styled(FAINT, &format!("{name:<12}"))?;
        out.line(&value)?;
    }
    Ok(())
}

fn container(out: &mut Stream, instance: &ContainerReport) -> io::Result<()> {
    let (style, state) = ps::state(instance);
    out.text(&format!("  {} #{} ", instance.name, instance.attempt))?;
    out.styled(style, &state)?;
    if let Some(pid) = instance.pid {
        out.text(&format!("  pid {pid}"))?;
    }
    out.styled(FAINT, &format!("  id {}", instance.id))?;
    out.text("\n")?;
    let known = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let mut facts = Vec::new();
    facts.extend(instance.image.clone().map(|image| ("image", image)));
    facts.extend(instance.image_digest.as_ref().map(|digest| ("digest", digest.to_string())));
    facts.extend(known(instance.started_at).map(|time| ("started", time)));
    if let Some(reason) = instance.reason {
        facts.push(("ended", known(instance.finished_at).unwrap_or("unknown".to_owned())));
        facts.push(("reason", reason_text(reason, instance)));
    }
    facts.extend(instance.probes.iter().map(|probe| ("probe", probe_text(probe))));
    facts.extend(instance.notes.iter().map(|note| ("note", note.clone())));
    for (name, value) in facts {
        out.styled(FAINT, &format!("    {name:<8}"))?;
        out.line(&value)?;
    }
    Ok(())
}

fn probe_text(probe: &ProbeHealth) -> String {
    let how = match (probe.passing, probe.failures) {
        (Some(true), 0) => "passes".to_owned(),
        (Some(true), failures) => {
            format!("passes, failed {}", people::count(failures as usize, "time"))
        }
        (Some(false), _) => "fails".to_owned(),
        (None, 0) => "not known yet".to_owned(),
        (None, failures) => {
            format!("not known yet, failed {}", people::count(failures as usize, "time"))
        }
    };
    match &probe.detail {
        Some(detail) => format!("{} {how}: {detail}", probe.kind),
        None => format!("{} {how}", probe.kind),
    }
}

fn reason_text(reason: &str, instance: &ContainerReport) -> String {
    let detail = instance.detail.as_deref().unwrap_or("no reason was recorded");
    match reason {
        "exited" => match (instance.exit_code, instance.signal) {
            (Some(code), _) => format!("exited with code {code}"),
            (None, Some(signal)) => format!("ended by signal {signal}"),
            (None, None) => "exited; the code is unknown".to_owned(),
        },
        "oom" => "killed by the kernel: out of memory".to_owned(),
        "probe" => format!("ended by tank: {detail}"),
        "stopped" => "stopped by tank".to_owned(),
        "start-failed" => format!("never started: {detail}"),
        "host-reboot" => "lost when the machine was restarted".to_owned(),
        _ => "unknown: nobody saw it end".to_owned(),
    }
}

/// What passes did: when, what, how it went, and because of what, or why not.
fn steps(out: &mut Stream, report: &DescribeReport) -> io::Result<()> {
    let columns = [
        Column::whole("TIME"),
        Column::whole("STEP"),
        Column::whole("STATE"),
        Column::flexible(""),
    ];
    let mut table = Table::new(columns).without_headings();
    for step in &report.steps {
        let why = step.error.as_ref().unwrap_or(&step.cause);
        table.row([
            format!("  {:.0}", step.started_at).into(),
            step.id.as_str().into(),
            step.state.into(),
            why.as_str().into(),
        ]);
    }
    out.table(&table)
}

fn events(out: &mut Stream, report: &DescribeReport) -> io::Result<()> {
    let columns =
        [Column::whole("TIME"), Column::whole("OF"), Column::whole("KIND"), Column::flexible("")];
    let mut table = Table::new(columns).without_headings();
    for event in &report.events {
        let of = event.container.as_ref().map_or("pod", |container| container.as_str());
        table.row([
            format!("  {:.0}", event.time).into(),
            of.into(),
            event.kind.as_str().into(),
            event.message.as_str().into(),
        ]);
    }
    out.table(&table)
}

#[cfg(test)]
mod tests {
    use super::super::ps::tests::{container, ended};
    use super::super::ui::testing;
    use super::*;
    use crate::app::report::{EventReport, PodStatus, StepReport};
    use crate::model::{RunState, strategy};

    const POD: &str = "name = \"web\"\nnetwork = \"none\"\n\n\
        [[containers]]\nname = \"app\"\nrootfs = \"/\"\n\
        command = [\"/bin/sh\"]\n";

    fn report() -> DescribeReport {
        let name: PodName = "web".parse().unwrap();
        let time = |second| Timestamp::from_second(second).unwrap();
        DescribeReport {
            summary: PodSummary {
                name: name.clone(),
                generation: 2,
                status: PodStatus::Degraded,
                waits_until: None,
                ready: 0,
                total: 1,
                restarts: 1,
                sync: Sync::Diverged,
                reasons: vec!["exited with an unknown code, restart = always".into()],
                exits: vec![],
                ip: None,
                labels: [("tier".to_owned(), "front".to_owned())].into(),
                created_at: time(1_000),
            },
            run: RunState::Run,
            updated_at: time(2_000),
            spec: strategy::parse(POD).unwrap().pods.remove(0),
            instances: vec![container(2), ended(1)],
            steps: vec![StepReport {
                id: "start/app/2".into(),
                container: Some("app".parse().unwrap()),
                action: "start".into(),
                cause: "monitor was lost".into(),
                state: "succeeded",
                error: None,
                started_at: time(9_000),
                finished_at: Some(time(9_000)),
                command: Some("tank reconcile".into()),
                pid: Some(42),
            }],
            events: vec![EventReport {
                time: time(9_000),
                pod: Some(name),
                container: Some("app".parse().unwrap()),
                kind: "started".into(),
                message: "attempt 2".into(),
            }],
            notes: vec!["the limit nofile was not raised".into()],
        }
    }

    #[test]
    fn what_is_unknown_is_called_unknown() {
        let (mut out, text) = testing::stream(None);
        print(&mut out, &report(), Timestamp::from_second(10_000).unwrap()).unwrap();
        out.flush().unwrap();
        let text = text.text();
        let (before_spec, spec) = text.split_once("Spec\n").unwrap();
        assert!(spec.contains("  name = \"web\""), "{spec}");
        insta::assert_snapshot!(before_spec, @r"
        web  degraded  0/1 ready, 1 restart
        created     1970-01-01T00:16:40Z (2h ago)
        changed     1970-01-01T00:33:20Z (2h ago)
        generation  2
        label       tier = front
        diverged    exited with an unknown code, restart = always

        Containers
          app #2 running  pid 4242  id 0000000000000002
            image   docker.io/library/nginx:1.27
            started 1970-01-01T02:30:00Z
          app #1 failed (unknown)  id 0000000000000001
            image   docker.io/library/nginx:1.27
            started 1970-01-01T02:30:00Z
            ended   unknown
            reason  unknown: nobody saw it end

        Steps
          1970-01-01T02:30:00Z  start/app/2  succeeded  monitor was lost

        Events
          1970-01-01T02:30:00Z  app  started  attempt 2

        Notes
          the limit nofile was not raised
        ");
    }
}
