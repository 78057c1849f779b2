//! Everything that is logged while a behaviour runs, as text.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Libraries below the adapter: what they log at their lowest level is theirs.
const BELOW: [&str; 7] = ["hyper", "h2", "reqwest", "rustls", "mio", "tokio", "want"];

/// Keeps all that is logged, at every level.
#[derive(Debug, Clone, Default)]
pub(super) struct Logs {
    text: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
}

impl Logs {
    pub(super) fn text(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write(&self, meta: Option<&Metadata<'_>>, record: impl FnOnce(&mut Line<'_>)) {
        if meta.is_some_and(|meta| BELOW.iter().any(|below| meta.target().starts_with(below))) {
            return;
        }
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(meta) = meta {
            let _ = write!(text, "{} {}", meta.target(), meta.name());
        }
        record(&mut Line(&mut text));
        text.push('\n');
    }
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, " {}={value}", field.name());
    }
}

impl Subscriber for Logs {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.write(Some(span.metadata()), |line| span.record(line));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed).saturating_add(1))
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.write(None, |line| values.record(line));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.write(Some(event.metadata()), |line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
