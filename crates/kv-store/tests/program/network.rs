//! Hosts that are network namespaces, each joined by a pair of interfaces to a bridge in another. What is cut there is cut for every
//! process of a host, by the system.

use std::{
    io::{self, Write},
    panic::resume_unwind,
    process::{self, Command},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
};

/// Where nobody is: what is sent there is lost, and nobody is told.
const NOBODY: &str = "02:00:00:00:00:ff";

/// So many hosts. Namespaces and links go with it.
pub(crate) struct Network {
    name: String,
    hosts: usize,
}

impl Network {
    /// Hosts that all reach each other.
    ///
    /// # Errors
    /// Where this process may make none, with what the system says.
    pub(crate) fn new(hosts: usize) -> Result<Self, String> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let name = format!("jarre-{}-{}", process::id(), MADE.fetch_add(1, Relaxed));
        // What of it was made goes again where the rest cannot be.
        let network = Self { name, hosts };
        network.build()?;
        Ok(network)
    }

    /// Such a network where it is permitted. Where it is not it says so, or fails if it must be there.
    pub(crate) fn where_permitted(hosts: usize) -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "whoever runs the tests knows what the system permits")]
        let required = std::env::var("JARRE_NAMESPACES").is_ok_and(|value| value == "required");
        match Self::new(hosts) {
            Ok(network) => Some(network),
            Err(why) => {
                assert!(!required, "{why}");
                // Past what is captured of a test that passes.
                let _ = writeln!(io::stderr(), "(no link is cut: {why})");
                None
            }
        }
    }

    fn build(&self) -> Result<(), String> {
        let switch = self.switch();
        ip(&format!("netns add {switch}"))?;
        ip(&format!("-n {switch} link add bridge type bridge"))?;
        ip(&format!("-n {switch} link set bridge up"))?;
        (0..self.hosts).try_for_each(|host| self.join(host))?;
        self.mend();
        (0..self.hosts).try_for_each(|host| thread::scope(|scope| scope.spawn(|| self.enter(host)).join().expect("it does not panic")))
    }

    fn join(&self, host: usize) -> Result<(), String> {
        let (switch, own) = (self.switch(), self.host(host));
        ip(&format!("netns add {own}"))?;
        ip(&format!("-n {switch} link add port{host} type veth peer name uplink netns {own}"))?;
        ip(&format!("-n {switch} link set port{host} master bridge"))?;
        ip(&format!("-n {own} link set uplink address {}", card(host)))?;
        ip(&format!("-n {own} address add {}/24 dev uplink", Self::address(host)))?;
        ip(&format!("-n {own} link set uplink up"))?;
        ip(&format!("-n {own} link set lo up"))
    }

    pub(crate) fn address(host: usize) -> String {
        format!("10.0.0.{}", host + 1)
    }

    /// What `work` gives on a thread of a host. Threads and processes that it starts are there too.
    pub(crate) fn within<T: Send>(&self, host: usize, work: impl FnOnce() -> T + Send) -> T {
        let on_host = || {
            self.enter(host).expect("it could be entered when it was made");
            work()
        };
        thread::scope(|scope| scope.spawn(on_host).join().unwrap_or_else(|panic| resume_unwind(panic)))
    }

    /// Pulls the plug of a host: it reaches nobody but itself.
    pub(crate) fn unplug(&self, host: usize) {
        ip(&format!("-n {} link set port{host} down", self.switch())).expect("the port is there");
    }

    /// Nothing that `from` sends comes to `to` any more, and `from` is not told.
    pub(crate) fn silence(&self, from: usize, to: usize) {
        self.send_to(from, to, NOBODY);
    }

    /// All hosts reach each other.
    pub(crate) fn mend(&self) {
        for host in 0..self.hosts {
            ip(&format!("-n {} link set port{host} up", self.switch())).expect("the port is there");
            (0..self.hosts).filter(|to| *to != host).for_each(|to| self.send_to(host, to, &card(to)));
        }
    }

    /// Says whom `from` finds at the address of `to`, for good, so that nobody has to ask.
    fn send_to(&self, from: usize, to: usize, card: &str) {
        let order = format!("-n {} neigh replace {} lladdr {card} dev uplink nud permanent", self.host(from), Self::address(to));
        ip(&order).expect("the link is there");
    }

    fn enter(&self, host: usize) -> Result<(), String> {
        let place = format!("/var/run/netns/{}", self.host(host));
        enter(&place).map_err(|error| format!("{place} cannot be entered: {error}"))
    }

    fn switch(&self) -> String {
        format!("{}-switch", self.name)
    }

    fn host(&self, host: usize) -> String {
        format!("{}-{host}", self.name)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for name in (0..self.hosts).map(|host| self.host(host)).chain([self.switch()]) {
            // It may not have been made. Its interfaces go with it.
            let _ = ip(&format!("netns delete {name}"));
        }
    }
}

fn card(host: usize) -> String {
    format!("02:00:00:00:00:{:02x}", host + 1)
}

fn ip(order: &str) -> Result<(), String> {
    let output = Command::new("ip").args(order.split(' ')).output().map_err(|error| format!("`ip` cannot be run: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(format!("`ip {order}`: {}", String::from_utf8_lossy(&output.stderr).trim())) }
}

/// Moves this thread into a network namespace.
#[cfg(target_os = "linux")]
fn enter(place: &str) -> io::Result<()> {
    use std::os::fd::AsFd;

    use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

    let namespace = std::fs::File::open(place)?;
    Ok(move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?)
}

#[cfg(not(target_os = "linux"))]
fn enter(_: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

mod tests {
    use std::{net::UdpSocket, time::Duration};

    use super::*;
    use crate::process::soon;

    const PORT: u16 = 7000;

    /// A socket on each of three hosts.
    struct Ears<'a> {
        network: &'a Network,
        sockets: Vec<UdpSocket>,
    }

    impl<'a> Ears<'a> {
        fn new(network: &'a Network) -> Self {
            let open = |host| {
                let socket = network.within(host, || UdpSocket::bind((&*Network::address(host), PORT)).unwrap());
                socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
                socket
            };
            Self { network, sockets: (0..network.hosts).map(open).collect() }
        }

        fn send(&self, from: usize, to: usize, what: &str) {
            // A host without a plug may say so.
            let _ = self.sockets[from].send_to(what.as_bytes(), (&*Network::address(to), PORT));
        }

        fn hears(&self, host: usize) -> Option<String> {
            let mut buffer = [0; 100];
            let length = self.sockets[host].recv(&mut buffer).ok()?;
            Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
        }

        /// Sends while it is cut and again once it is mended: of what comes on this way, the first is what was sent then.
        fn hold_to(&self, cut: impl Fn(), lost: &[(usize, usize)]) {
            cut();
            for (from, to) in pairs() {
                let word = format!("cut {from}");
                self.send(from, to, &word);
                if !lost.contains(&(from, to)) {
                    soon("what is not cut carries", || {
                        self.send(from, to, &word);
                        self.hears(to).as_ref() == Some(&word)
                    });
                }
            }
            self.network.mend();
            for (from, to) in pairs() {
                soon("what was mended carries", || {
                    self.send(from, to, &format!("mended {from}"));
                    let heard = self.hears(to);
                    assert!(!lost.contains(&(from, to)) || heard != Some(format!("cut {from}")), "{from} to {to} was not cut");
                    heard == Some(format!("mended {from}"))
                });
            }
        }
    }

    fn pairs() -> impl Iterator<Item = (usize, usize)> {
        (0..3).flat_map(|from| (0..3).filter(move |to| *to != from).map(move |to| (from, to)))
    }

    #[test]
    fn what_is_cut_carries_nothing_and_the_rest_does() {
        let Some(network) = Network::where_permitted(3) else { return };
        let ears = Ears::new(&network);
        ears.hold_to(|| {}, &[]);
        ears.hold_to(|| network.unplug(1), &[(1, 0), (0, 1), (1, 2), (2, 1)]);
        ears.hold_to(|| network.silence(2, 0), &[(2, 0)]);
    }

    #[test]
    fn it_leaves_nothing_behind() {
        let Some(network) = Network::where_permitted(2) else { return };
        let name = network.name.clone();
        let failing = thread::spawn(move || {
            let _network = network;
            resume_unwind(Box::new("as a test does that fails"));
        });
        assert!(failing.join().is_err());
        let left = Command::new("ip").args(["netns", "list"]).output().unwrap();
        assert!(!String::from_utf8_lossy(&left.stdout).contains(&name));
    }
}
