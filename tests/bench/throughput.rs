//! How fast data goes to a pod and between pods: iperf3, TCP, one stream.

use std::cell::RefCell;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value as Json;

use crate::Outcome;
use crate::machine::Workplace;
use crate::namespace::{Namespace, Network};
use crate::podman::Podman;
use crate::program::{Runner, is_installed};
use crate::race::{Contestant, race};
use crate::report::{Report, Value};
use crate::rootfs;
use crate::tank::{Program, Tank};

/// How long a run sends.
const SECONDS: u64 = 2;

/// How many runs there are at most.
const RUNS: usize = 7;

/// The port of a server that is in no container.
const PORT: usize = 5201;

/// A server that is in no container. Dropping it ends it.
#[derive(Debug)]
struct Server(Child);

impl Server {
    fn start(network: &Namespace) -> Outcome<Self> {
        let mut command = Command::new("iperf3");
        command.args(["--server", "--port", &PORT.to_string()]).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let _entered = network.enter()?;
        command.spawn().map(Self).map_err(|error| format!("iperf3: {error}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().unwrap_or_default();
        self.0.wait().map(drop).unwrap_or_default();
    }
}

/// Takes the measures.
pub(crate) fn measure(workplace: &Workplace, runs: usize, report: &mut Report) {
    if let Err(why) = try_measure(workplace, runs.min(RUNS), report) {
        report.leave_out("throughput", &why);
    }
}

fn try_measure(workplace: &Workplace, runs: usize, report: &mut Report) -> Outcome<()> {
    let dir = workplace.path();
    rootfs::add_program(&workplace.rootfs(), "iperf3", &Runner::new(dir))
        .map_err(|error| format!("iperf3: {error}"))?;
    // The networks outlive those who are to remove what they made in them.
    let (one, other) = (Network::new(dir)?, Network::new(dir)?);
    let within = |network: &Rc<Namespace>| Runner::new(dir).within(Rc::clone(network));

    let tank = Tank::new("throughput", workplace)?.within(&one.machine);
    tank.have("server", 1, Program::Server)?;
    tank.have("client", 1, Program::Sleep)?;
    let address = tank.address("server0")?;
    let bare = Server::start(&one.machine)?;
    let mut podman = None;
    if is_installed("iptables") {
        let made = Podman::new("throughput-podman", workplace, within(&other.machine));
        let made = made.and_then(|mut podman| {
            let (_, address) = podman.server()?;
            Ok((podman.sleeper()?, address, RefCell::new(podman)))
        });
        podman = made.map_err(|why| report.leave_out("podman, throughput", &why)).ok();
    }

    let in_tank = |args: &[&str]| tank.exec_output("client0", args);
    let mut all = vec![Contestant::new("tank", || rate(&in_tank, &address, PORT))];
    if let Some((client, address, podman)) = &podman {
        let client = move |args: &[&str]| podman.borrow().exec_output(client, args);
        all.push(Contestant::new("podman", move || rate(&client, address, PORT)));
    }
    race_rates("throughput, pod to pod", all, runs, report);

    for (measure, outside) in [("from outside", true), ("from the machine", false)] {
        let from = |network: &Network| {
            let place = if outside { &network.outside } else { &network.machine };
            let runner = within(place);
            move |args: &[&str]| runner.output(Command::new(args[0]).args(&args[1..]))
        };
        let (to_tank, to_podman) = (from(&one), from(&other));
        let (to_bare, port) = (from(&one), Program::Server.port());
        let turn = move || rate(&to_tank, Network::ADDRESS, port);
        let mut all = vec![Contestant::new("tank", turn)];
        if podman.is_some() {
            let turn = move || rate(&to_podman, Network::ADDRESS, port);
            all.push(Contestant::new("podman", turn));
        }
        let turn = move || rate(&to_bare, Network::ADDRESS, PORT);
        all.push(Contestant::new("no container, no port", turn));
        race_rates(&format!("throughput, {measure} to a port"), all, runs, report);
    }
    drop(bare);
    Ok(())
}

fn race_rates(measure: &str, all: Vec<Contestant<u64>>, runs: usize, report: &mut Report) {
    for (contestant, rate) in race(all, runs) {
        report.add(measure, &contestant, rate.map(Value::Rate));
    }
}

/// How many bits a second arrive at a server, sent by a client that `run` runs.
fn rate(run: &impl Fn(&[&str]) -> Outcome<String>, address: &str, port: usize) -> Outcome<u64> {
    let (port, seconds) = (port.to_string(), SECONDS.to_string());
    let client = ["/bin/iperf3", "--client", address, "--port", &port, "--json"];
    let args = [&client[..], &["--time", &seconds]].concat();
    // A server serves one client at a time, and may not have noticed that the last one has gone.
    let mut written = run(&args);
    for _ in 0..20 {
        if written.is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
        written = run(&args);
    }
    let result: Json = serde_json::from_str(&written?).map_err(|error| error.to_string())?;
    let bytes = result["end"]["sum_received"]["bytes"].as_u64();
    Ok(bytes.ok_or("iperf3 does not say how much was received")? * 8 / SECONDS)
}
