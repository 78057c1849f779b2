//! Starting the servers, and the handle to them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::fault::Faults;
use crate::serve::{Gate, serve};
use crate::traffic::Traffic;
use crate::{Clock, Face, FaceContext, Market, OperationCount, ReceivedRequest, control};

/// Why the sandbox did not start.
#[derive(Debug)]
pub enum StartError {
    /// There is nothing to serve.
    NoFaces,
    /// Two faces have the same id.
    SameId(&'static str),
    /// The ports from the base run out of the range.
    NoSuchPort,
    /// A port could not be opened.
    Io(std::io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFaces => f.write_str("a sandbox needs at least one face"),
            Self::SameId(id) => write!(f, "two faces are called {id}"),
            Self::NoSuchPort => f.write_str("ports end at 65535"),
            Self::Io(error) => write!(f, "a port could not be opened: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

impl From<std::io::Error> for StartError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// No face of this sandbox has this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFace(pub String);

impl fmt::Display for UnknownFace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the sandbox has no face {}", self.0)
    }
}

impl std::error::Error for UnknownFace {}

/// What a sandbox is made of.
#[derive(Default)]
pub struct SandboxBuilder {
    faces: Vec<Arc<dyn Face>>,
    clock: Clock,
    port_base: u16,
    control_port: u16,
}

impl SandboxBuilder {
    /// Adds a face.
    #[must_use]
    pub fn face(mut self, face: impl Face) -> Self {
        self.faces.push(Arc::new(face));
        self
    }

    /// Uses this clock. The system's by default.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The clock stands at `now` from the start.
    #[must_use]
    pub fn now(self, now: DateTime<Utc>) -> Self {
        self.clock(Clock::standing(now))
    }

    /// The first face gets this port, the next ones those after it. 0 (the default): any free port for each.
    #[must_use]
    pub fn port_base(mut self, port: u16) -> Self {
        self.port_base = port;
        self
    }

    /// The port of the control API. 0 (the default): any free port.
    #[must_use]
    pub fn control_port(mut self, port: u16) -> Self {
        self.control_port = port;
        self
    }

    /// Opens the ports on 127.0.0.1 and serves on the current tokio runtime.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(self) -> Result<Sandbox, StartError> {
        if self.faces.is_empty() {
            return Err(StartError::NoFaces);
        }
        let (stop, stopped) = watch::channel(false);
        let shared = Shared {
            market: Market::new(self.clock.clone()),
            clock: self.clock,
            faults: Faults::default(),
            faces: Arc::new(BTreeMap::new()),
        };
        let mut faces = BTreeMap::new();
        let mut serving = Vec::new();
        for (at, face) in self.faces.into_iter().enumerate() {
            let listener = bind(port_of(self.port_base, at)?).await?;
            let served = ServedFace {
                address: listener.local_addr()?,
                credentials: face.credentials(),
                traffic: Arc::default(),
                control: face.control(),
            };
            let context = FaceContext { market: shared.market.clone(), clock: shared.clock.clone() };
            let (id, routes, traffic) = (face.id(), face.router(context), Arc::clone(&served.traffic));
            if faces.insert(id, served).is_some() {
                return Err(StartError::SameId(id));
            }
            let gate = Arc::new(Gate::new(face, shared.faults.clone(), traffic, shared.clock.clone()));
            serving.push(tokio::spawn(serve(listener, gate.before(routes), stopped.clone())));
        }
        let shared = Shared { faces: Arc::new(faces), ..shared };
        let listener = bind(self.control_port).await?;
        let control = listener.local_addr()?;
        serving.push(tokio::spawn(serve(listener, control::router(shared.clone()), stopped)));
        Ok(Sandbox { shared, control, stop, serving })
    }
}

fn port_of(base: u16, at: usize) -> Result<u16, StartError> {
    if base == 0 {
        return Ok(0);
    }
    u16::try_from(usize::from(base) + at).map_err(|_| StartError::NoSuchPort)
}

async fn bind(port: u16) -> Result<TcpListener, StartError> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?)
}

pub(crate) struct ServedFace {
    pub(crate) address: SocketAddr,
    pub(crate) credentials: Value,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) control: Router,
}

impl ServedFace {
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// What the handle and the control API both work on.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) market: Market,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) faces: Arc<BTreeMap<&'static str, ServedFace>>,
}

impl Shared {
    pub(crate) fn face(&self, id: &str) -> Result<&ServedFace, UnknownFace> {
        self.faces.get(id).ok_or_else(|| UnknownFace(id.to_owned()))
    }

    pub(crate) fn describe_faces(&self) -> Value {
        let describe =
            |face: &ServedFace| json!({ "base_url": face.base_url(), "credentials": face.credentials });
        self.faces
            .iter()
            .map(|(id, face)| ((*id).to_owned(), describe(face)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

/// Running servers. They stop when it is dropped.
pub struct Sandbox {
    shared: Shared,
    control: SocketAddr,
    stop: watch::Sender<bool>,
    serving: Vec<JoinHandle<()>>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faces: Vec<_> = self.shared.faces.iter().map(|(id, face)| (id, face.address)).collect();
        f.debug_struct("Sandbox")
            .field("faces", &faces)
            .field("control", &self.control)
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// A sandbox to be put together.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// What to give a client in place of the channel's scheme and host, without a slash at the end.
    ///
    /// # Errors
    /// [`UnknownFace`].
    pub fn base_url(&self, face: &str) -> Result<String, UnknownFace> {
        self.shared.face(face).map(ServedFace::base_url)
    }

    /// Where the control API is.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.control)
    }

    /// The marketplace.
    pub fn market(&self) -> &Market {
        &self.shared.market
    }

    /// The faults.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Makes the clock stand at `now`.
    pub fn set_now(&self, now: DateTime<Utc>) {
        self.shared.clock.set(now);
    }

    /// Moves the clock on.
    pub fn advance(&self, by: TimeDelta) {
        self.shared.clock.advance(by);
    }

    /// Requests of a face by operation.
    ///
    /// # Errors
    /// [`UnknownFace`].
    pub fn counts(&self, face: &str) -> Result<BTreeMap<String, OperationCount>, UnknownFace> {
        self.shared.face(face).map(|face| face.traffic.counts())
    }

    /// How many requests for one operation of a face came in.
    ///
    /// # Errors
    /// [`UnknownFace`].
    pub fn received(&self, face: &str, operation: &str) -> Result<u64, UnknownFace> {
        Ok(self.counts(face)?.get(operation).map(|count| count.received).unwrap_or_default())
    }

    /// The last 500 requests of a face, oldest first.
    ///
    /// # Errors
    /// [`UnknownFace`].
    pub fn requests(&self, face: &str) -> Result<Vec<ReceivedRequest>, UnknownFace> {
        self.shared.face(face).map(|face| face.traffic.last())
    }

    /// Forgets the counters and the last requests of a face.
    ///
    /// # Errors
    /// [`UnknownFace`].
    pub fn reset_traffic(&self, face: &str) -> Result<(), UnknownFace> {
        self.shared.face(face).map(|face| face.traffic.reset())
    }

    /// Base URLs and test credentials of all faces and the control URL, as the program prints them.
    pub fn describe(&self) -> Value {
        json!({ "control": self.control_url(), "faces": self.shared.describe_faces() })
    }

    /// Closes the ports and waits until nothing listens any more. Dropping does the same without waiting.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        for server in std::mem::take(&mut self.serving) {
            let _ = server.await;
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}
