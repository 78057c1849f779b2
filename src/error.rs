//! The one error type of the crate: what happened, whether it may be tried again, and what to do.

use std::fmt;
use std::time::Duration;

use crate::channel::Operation;
use crate::model::{AccountId, ChannelId, OrderId};

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The channel does not accept these credentials.
    Unauthorized,
    /// The credentials were good once and have ended: renew them.
    CredentialExpired,
    /// The credentials are good, but not for this: a missing scope, an unregistered IP address.
    Forbidden,
    /// Too many calls. See [`Error::retry_after`].
    RateLimited,
    /// The channel is down, in maintenance or unreachable.
    Unavailable,
    /// No answer in time.
    TimedOut,
    /// The channel answered something that can't be read.
    MalformedResponse,
    /// What was asked for makes no sense; nothing was sent.
    InvalidInput,
    /// The channel understood and said no, with a code and a text.
    Refused,
    /// The channel has no such operation, or the account's mode forbids it.
    Unsupported,
    /// No such account, order or listing here.
    NotFound,
    /// The store failed.
    Store,
    /// Another process works on this account, or this one lost its lease.
    Busy,
    /// A setting is wrong.
    Configuration,
}

impl ErrorKind {
    /// What a person can do about it, in one sentence.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Unauthorized => "check the account's credentials",
            Self::CredentialExpired => "renew the account's credentials",
            Self::Forbidden => {
                "grant the missing permission or register this machine's IP address at the channel"
            }
            Self::RateLimited => "wait; the account goes on by itself at the known time",
            Self::Unavailable | Self::TimedOut => "wait; the next cycle tries again",
            Self::MalformedResponse => {
                "look at the channel's status page; if it lasts, report it with the operation named here"
            }
            Self::InvalidInput => "correct the input",
            Self::Refused => "read the channel's reason; the same call again gets the same answer",
            Self::Unsupported => "use another way: this channel or mode does not offer it",
            Self::NotFound => "check the id",
            Self::Store => "check the database: space, permissions, version",
            Self::Busy => "wait until the other worker is done",
            Self::Configuration => "correct the setting",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Unauthorized => "the channel refused the credentials",
            Self::CredentialExpired => "the credentials have expired",
            Self::Forbidden => "not permitted with these credentials",
            Self::RateLimited => "too many calls",
            Self::Unavailable => "the channel is unavailable",
            Self::TimedOut => "no answer in time",
            Self::MalformedResponse => "the answer can't be read",
            Self::InvalidInput => "invalid input",
            Self::Refused => "refused by the channel",
            Self::Unsupported => "not supported",
            Self::NotFound => "not found",
            Self::Store => "the store failed",
            Self::Busy => "the account is in use",
            Self::Configuration => "wrong configuration",
        }
    }
}

/// What is known about the effect of a call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing was changed at the channel.
    None,
    /// The change may or may not have been made: look before repeating.
    Unknown,
}

/// Whether the same call may be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same call would fail the same way.
    Never,
    /// It may work later; no time is known.
    Later,
    /// It may work after this long.
    After(Duration),
}

/// The error of every fallible function of this crate.
///
/// Its text says what happened and what to do. It holds no secret and no personal data: channel texts are cut
/// to 300 characters, URLs (keys travel in queries) never get in.
///
/// ```
/// use sales_channels::{Error, ErrorKind, Retry};
///
/// let e = Error::new(ErrorKind::Refused).with_code("-10013").with_message("not in the state \"delivery requested\"");
/// assert_eq!(e.retry(), Retry::Never);
/// assert!(e.to_string().contains("-10013"));
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    effect: Effect,
    retry: Retry,
    code: Option<String>,
    message: Option<String>,
    channel: Option<ChannelId>,
    account: Option<AccountId>,
    operation: Option<Operation>,
    order: Option<OrderId>,
    attempts: u32,
    source: Option<std::sync::Arc<dyn std::error::Error + Send + Sync>>,
}

const MESSAGE_CHARS: usize = 300;

impl Error {
    /// An error of this kind, with the retry advice usual for it and no effect at the channel.
    pub fn new(kind: ErrorKind) -> Self {
        let retry = match kind {
            ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::TimedOut | ErrorKind::Busy => {
                Retry::Later
            }
            ErrorKind::MalformedResponse | ErrorKind::Store => Retry::Later,
            _ => Retry::Never,
        };
        Self(Box::new(Inner {
            kind,
            effect: Effect::None,
            retry,
            code: None,
            message: None,
            channel: None,
            account: None,
            operation: None,
            order: None,
            attempts: 0,
            source: None,
        }))
    }

    /// [`ErrorKind::InvalidInput`] with a text.
    pub fn invalid(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidInput).with_message(message)
    }

    /// [`ErrorKind::Unsupported`] with a text.
    pub fn unsupported(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Unsupported).with_message(message)
    }

    /// [`ErrorKind::MalformedResponse`] with a text. Never put the body itself in: it holds personal data.
    pub fn malformed(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::MalformedResponse).with_message(message)
    }

    /// Adds the channel's own code.
    pub fn with_code(mut self, code: impl fmt::Display) -> Self {
        self.0.code = Some(clip(&code.to_string()));
        self
    }

    /// Adds what happened, in words. Control characters are dropped and the text is cut to 300 characters.
    pub fn with_message(mut self, message: impl fmt::Display) -> Self {
        self.0.message = Some(clip(&message.to_string()));
        self
    }

    /// Says whether and when the same call may be made again.
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Marks that the change may have been made.
    pub fn with_unknown_effect(mut self) -> Self {
        self.0.effect = Effect::Unknown;
        self
    }

    /// The same error where only a preparation of what was asked for failed: whatever became of that, nothing was done
    /// to the shop.
    pub fn without_effect(mut self) -> Self {
        self.0.effect = Effect::None;
        self
    }

    /// Adds the channel.
    pub fn at_channel(mut self, channel: &ChannelId) -> Self {
        self.0.channel.get_or_insert_with(|| channel.clone());
        self
    }

    /// Adds the account.
    pub fn for_account(mut self, account: &AccountId) -> Self {
        self.0.account.get_or_insert_with(|| account.clone());
        self
    }

    /// Adds the operation, unless a more precise one is there already.
    pub fn in_operation(mut self, operation: Operation) -> Self {
        self.0.operation.get_or_insert(operation);
        self
    }

    /// Adds the order.
    pub fn for_order(mut self, order: &OrderId) -> Self {
        self.0.order.get_or_insert_with(|| order.clone());
        self
    }

    /// Says how often the call was tried, so that nothing outside multiplies attempts.
    pub fn after_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Adds the cause. It must hold no secret: its text is printed.
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(std::sync::Arc::new(source));
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What is known about the effect at the channel.
    pub fn effect(&self) -> Effect {
        self.0.effect
    }

    /// Whether the change may have been made although the call failed.
    pub fn outcome_unknown(&self) -> bool {
        self.0.effect == Effect::Unknown
    }

    /// Whether the same call may be made again.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// The delay that the channel asked for, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.0.retry {
            Retry::After(delay) => Some(delay),
            _ => None,
        }
    }

    /// Whether waiting alone may cure it.
    pub fn is_temporary(&self) -> bool {
        self.0.retry != Retry::Never
    }

    /// The channel's own code.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// What happened, in words, without the context.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// The operation that failed.
    pub fn operation(&self) -> Option<Operation> {
        self.0.operation
    }

    /// How often the call was tried. 0: it was not sent, or nobody counted.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }
}

fn clip(text: &str) -> String {
    let mut kept = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == MESSAGE_CHARS {
            kept.push('…');
            break;
        }
        kept.push(if c.is_control() { ' ' } else { c });
    }
    kept
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = &self.0;
        if let Some(channel) = &e.channel {
            write!(f, "{channel}")?;
            if let Some(account) = &e.account {
                write!(f, "/{account}")?;
            }
            write!(f, ": ")?;
        } else if let Some(account) = &e.account {
            write!(f, "{account}: ")?;
        }
        if let Some(operation) = e.operation {
            write!(f, "{operation}: ")?;
        }
        write!(f, "{}", e.kind.words())?;
        if let Some(code) = &e.code {
            write!(f, " [{code}]")?;
        }
        if let Some(message) = &e.message {
            write!(f, ": {message}")?;
        }
        if let Some(order) = &e.order {
            write!(f, " (order {order})")?;
        }
        if e.attempts > 1 {
            write!(f, ", after {} attempts", e.attempts)?;
        }
        if let Retry::After(delay) = e.retry {
            write!(f, ", again in {} s", delay.as_secs_f32().ceil())?;
        }
        if e.effect == Effect::Unknown {
            write!(f, "; it is not known whether the change was made")?;
        }
        write!(f, "; {}", e.kind.advice())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = &self.0;
        f.debug_struct("Error")
            .field("kind", &e.kind)
            .field("effect", &e.effect)
            .field("retry", &e.retry)
            .field("code", &e.code)
            .field("message", &e.message)
            .field("channel", &e.channel)
            .field("account", &e.account)
            .field("operation", &e.operation)
            .field("order", &e.order)
            .field("source", &e.source.as_ref().map(ToString::to_string))
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|s| s as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_says_what_happened_and_what_to_do() {
        let e = Error::new(ErrorKind::RateLimited)
            .at_channel(&ChannelId::from("demo"))
            .with_retry(Retry::After(Duration::from_secs(7)))
            .after_attempts(3);
        let text = e.to_string();
        assert!(
            text.contains("demo") && text.contains("again in 7 s") && text.contains("after 3 attempts"),
            "{text}"
        );
    }

    #[test]
    fn long_texts_and_control_characters_are_cut() {
        let e = Error::invalid("a\nb".repeat(1000));
        let message = e.message().unwrap_or_default();
        assert_eq!(message.chars().count(), MESSAGE_CHARS + 1);
        assert!(!message.contains('\n'));
    }
}
