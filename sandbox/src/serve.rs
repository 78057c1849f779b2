//! The accept loop, and the gate that each request of a face passes: count, limit, strike, handle.
//!
//! axum's own server is not used because a handler there can't make the connection close without an answer.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

use crate::fault::{Effect, Fault, Faults, Moment, in_place_of, on_answer};
use crate::traffic::Traffic;
use crate::{Clock, Face, RequestHead, lock};

/// Larger request bodies are refused with 413.
const MAX_REQUEST: usize = 64 * 1024 * 1024;

/// Lets a request end the connection that it came on.
#[derive(Debug, Clone, Default)]
struct Connection(Arc<Notify>);

/// Serves until `stop` changes, then lets running requests end.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(serve_connection(stream, router.clone(), stop.clone()));
                }
            }
            _ = stop.changed() => return,
        }
    }
}

async fn serve_connection(stream: TcpStream, router: Router, mut stop: watch::Receiver<bool>) {
    // Without it, small answers wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let connection = Connection::default();
    let cut = Arc::clone(&connection.0);
    let app = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(connection.clone());
        app.call(request)
    });
    let mut serving = std::pin::pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    let mut stopping = false;
    loop {
        tokio::select! {
            _ = serving.as_mut() => return,
            () = cut.notified() => return,
            _ = stop.changed(), if !stopping => {
                stopping = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

/// What stands before one face.
pub(crate) struct Gate {
    pub(crate) face: Arc<dyn Face>,
    pub(crate) faults: Faults,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) clock: Clock,
    window: Mutex<Option<(DateTime<Utc>, u32)>>,
}

impl Gate {
    pub(crate) fn new(face: Arc<dyn Face>, faults: Faults, traffic: Arc<Traffic>, clock: Clock) -> Self {
        Self { face, faults, traffic, clock, window: Mutex::new(None) }
    }

    /// Puts the gate before the face's routes.
    pub(crate) fn before(self: Arc<Self>, router: Router) -> Router {
        // A fallback of its own makes the layer see requests that no route takes, too.
        let router = Router::new().fallback_service(router);
        router.layer(from_fn_with_state(self, pass))
    }

    fn is_over_limit(&self, now: DateTime<Utc>) -> bool {
        let Some(limit) = self.face.rate_limit() else { return false };
        let mut window = lock(&self.window);
        let (start, used) = match *window {
            Some((start, used)) if (now - start).num_seconds().unsigned_abs() < u64::from(limit.seconds) => {
                (start, used)
            }
            _ => (now, 0),
        };
        *window = Some((start, used.saturating_add(1)));
        used >= limit.requests
    }
}

async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let connection = request.extensions().get::<Connection>().cloned();
    // On a task of its own: a real server carries a request out also when the client has gone away.
    match tokio::spawn(handle(gate, request, next)).await {
        Ok(Some(response)) => response,
        Ok(None) => {
            if let Some(Connection(cut)) = connection {
                cut.notify_one();
            }
            std::future::pending::<Infallible>().await.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// None where the connection is to be closed without an answer.
async fn handle(gate: Arc<Gate>, request: Request, next: Next) -> Option<Response> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_REQUEST).await else {
        return Some(StatusCode::PAYLOAD_TOO_LARGE.into_response());
    };
    let head = RequestHead { method: &parts.method, uri: &parts.uri, headers: &parts.headers };
    let operation = gate.face.operation(&head, &body);
    let fault = gate.faults.strike(gate.face.id(), &operation);
    let now = gate.clock.now();
    gate.traffic.received(now, &operation, &head, &body, fault.as_ref().map(|fault| format!("{fault:?}")));

    let Some(fault) = fault else {
        if gate.is_over_limit(now) {
            return Some(gate.face.limited());
        }
        gate.traffic.handled(&operation);
        return Some(next.run(Request::from_parts(parts, Body::from(body))).await);
    };
    if !fault.lets_through() {
        return in_place_of(fault.effect);
    }
    wait(fault, Moment::BeforeHandling).await;
    gate.traffic.handled(&operation);
    let own = next.run(Request::from_parts(parts, Body::from(body))).await;
    wait(fault, Moment::AfterHandling).await;
    on_answer(fault.effect, own).await
}

async fn wait(fault: Fault, moment: Moment) {
    if let Effect::Delay { millis } = fault.effect
        && fault.moment == moment
    {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}
