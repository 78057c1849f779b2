//! The answers that faults give in place of the API's, and what they do to the API's own.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Response as HttpResponse, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::Effect;

const GATEWAY_PAGE: &str = "<html>\r\n<head><title>Bad Gateway</title></head>\r\n<body>\r\n<center><h1>Bad Gateway</h1>\
</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
const MAINTENANCE_PAGE: &str = "<!DOCTYPE html><html><head><title>メンテナンス中</title></head><body>\
ただいまメンテナンス中です。</body></html>";
/// Not UTF-8, not JSON, not a known compression.
const GARBAGE: &[u8] = &[0x00, 0xff, 0xfe, 0x80, 0x81, 0x7b, 0x22, 0xc3, 0x28, 0x0a, 0xde, 0xad, 0xbe, 0xef];
const HUGE_PIECE: &[u8] = &[b'a'; 64 * 1024];

/// The answer in place of the API's. None where the connection is to be closed, or the API is to answer.
pub(crate) fn in_place_of(effect: Effect) -> Option<Response> {
    match effect {
        Effect::Status { status, retry_after } => Some(status_answer(status, retry_after)),
        Effect::Html => {
            Some(answer(StatusCode::OK, "text/html; charset=utf-8", Body::from(MAINTENANCE_PAGE)))
        }
        Effect::Empty => Some(answer(StatusCode::OK, "application/json", Body::empty())),
        Effect::Garbage => Some(answer(StatusCode::OK, "application/json", Body::from(GARBAGE))),
        Effect::Huge { bytes, announced } => {
            Some(answer(StatusCode::OK, "application/json", Body::new(Huge { left: bytes, announced })))
        }
        Effect::Delay { .. } | Effect::Cut | Effect::Truncated | Effect::Slow { .. } => None,
    }
}

/// What becomes of the API's own answer. None where the connection is to be closed.
pub(crate) async fn on_answer(effect: Effect, own: Response) -> Option<Response> {
    match effect {
        Effect::Cut => None,
        Effect::Delay { .. } => Some(own),
        Effect::Truncated => Some(truncated(own).await),
        Effect::Slow { pieces, pause_millis } => Some(slow(own, pieces, pause_millis).await),
        other => in_place_of(other),
    }
}

fn answer(status: StatusCode, kind: &'static str, body: Body) -> Response {
    let mut response = HttpResponse::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn status_answer(status: u16, retry_after: Option<u32>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reason = status.canonical_reason().unwrap_or("Error");
    let mut response = if (502..=504).contains(&status.as_u16()) {
        answer(status, "text/html", Body::from(GATEWAY_PAGE.replace("Bad Gateway", reason)))
    } else {
        answer(status, "application/json", Body::from(serde_json::json!({ "error": reason }).to_string()))
    };
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

async fn whole(body: Body) -> Bytes {
    to_bytes(body, usize::MAX).await.unwrap_or_default()
}

async fn truncated(own: Response) -> Response {
    let (mut head, body) = own.into_parts();
    let bytes = whole(body).await;
    // An empty answer can't break off: one byte is promised then.
    let promised = bytes.len().max(1);
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(promised));
    let half = bytes.slice(..bytes.len() / 2);
    HttpResponse::from_parts(head, Body::new(BreaksOff { half: Some(half), flushed: false }))
}

async fn slow(own: Response, pieces: u32, pause_millis: u64) -> Response {
    let (mut head, body) = own.into_parts();
    let bytes = whole(body).await;
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let piece = bytes.len().div_ceil(pieces.max(1) as usize).max(1);
    let pause = Duration::from_millis(pause_millis);
    HttpResponse::from_parts(head, Body::new(Slow { rest: bytes, piece, pause, waiting: None }))
}

/// So many bytes, never all in memory.
struct Huge {
    left: u64,
    announced: bool,
}

impl http_body::Body for Huge {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let size = HUGE_PIECE.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= size as u64;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&HUGE_PIECE[..size])))))
    }

    fn size_hint(&self) -> SizeHint {
        if self.announced { SizeHint::with_exact(self.left) } else { SizeHint::default() }
    }
}

/// Half an answer, then an error, which makes the server close the connection.
struct BreaksOff {
    half: Option<Bytes>,
    flushed: bool,
}

impl http_body::Body for BreaksOff {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(half) = self.half.take().filter(|half| !half.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        if !self.flushed {
            // One round of waiting lets the server write out what it has.
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(std::io::Error::other("the answer breaks off"))))
    }
}

/// An answer in pieces with a pause before each.
struct Slow {
    rest: Bytes,
    piece: usize,
    pause: Duration,
    waiting: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl http_body::Body for Slow {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let pause = self.pause;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
        if waiting.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.waiting = None;
        let size = self.piece.min(self.rest.len());
        let piece = self.rest.split_to(size);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}
