//! Reading what channels answer in XML, for adapters (feature `xml`). Lenient in what is read, like
//! [`lenient`](crate::lenient); only an answer that is not whole is an error: a list would be taken for a shorter one.
//!
//! An [`Element`] keeps how it was written: the raw payload of an order. Each row is read on its own, so that a bad one
//! spoils only itself. Name spaces are left away: `ns2:order` is an `order`.
//!
//! ```
//! use sales_channels::xml::Element;
//!
//! let answer = r#"<?xml version="1.0"?><orders><order id="7"><Name>O&apos;Hara &#9749;</Name></order></orders>"#;
//! let list = Element::parse(answer)?;
//! let order = list.all("order").next().ok_or("no order")?;
//! assert_eq!((order.attribute("id"), order.field("Name")), ("7", "O'Hara ☕"));
//! assert_eq!(order.raw(), r#"<order id="7"><Name>O&apos;Hara &#9749;</Name></order>"#);
//! assert_eq!(order.field("Memo"), "");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::HashMap;
use std::fmt;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::error::{Error, Result};

/// No channel nests deeper. What does is hostile: it would use up the stack.
const DEEPEST: usize = 64;

/// An element with all that is in it. Debug shows only its name: the rest can be personal data.
pub struct Element<'a> {
    name: String,
    attributes: HashMap<String, String>,
    text: String,
    children: Vec<Element<'a>>,
    begins: usize,
    raw: &'a str,
}

impl<'a> Element<'a> {
    /// Reads a document; its root.
    ///
    /// # Errors
    /// `MalformedResponse` when it is cut off, is no XML, or nests more than 64 deep.
    pub fn parse(document: &'a str) -> Result<Self> {
        let broken = || Error::malformed("the answer is no whole XML");
        let mut reader = Reader::from_str(document);
        reader.config_mut().expand_empty_elements = true;
        let place = |reader: &Reader<&[u8]>| usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let mut open: Vec<Self> = Vec::new();
        loop {
            let begins = place(&reader);
            match reader.read_event().map_err(|_| broken())? {
                Event::Start(tag) if open.len() < DEEPEST => open.push(Self::new(&tag, begins)),
                Event::Start(_) | Event::Eof => return Err(broken()),
                Event::End(_) => {
                    let mut element = open.pop().ok_or_else(broken)?;
                    element.raw = document.get(element.begins..place(&reader)).unwrap_or_default();
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => return Ok(element),
                    }
                }
                event => {
                    if let Some(element) = open.last_mut() {
                        element.add(&event);
                    }
                }
            }
        }
    }

    fn new(tag: &BytesStart<'_>, begins: usize) -> Self {
        let attributes = tag.attributes().flatten().map(|attribute| {
            // A value with an unknown entity in it is taken as it is written.
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.unwrap_or_else(|_| String::from_utf8_lossy(&attribute.value));
            (lossy(attribute.key.local_name().as_ref()), value.into_owned())
        });
        Self {
            name: lossy(tag.local_name().as_ref()),
            attributes: attributes.collect(),
            text: String::new(),
            children: Vec::new(),
            begins,
            raw: "",
        }
    }

    /// Adds a piece of its text.
    fn add(&mut self, event: &Event<'_>) {
        match event {
            Event::Text(text) => self.text.push_str(&String::from_utf8_lossy(text)),
            Event::CData(text) => self.text.push_str(&String::from_utf8_lossy(text)),
            Event::GeneralRef(entity) => self.text.push_str(&resolved(entity)),
            _ => {}
        }
    }

    /// Its name, without the name space.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An attribute; empty where it is missing.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// Its own text, without white space around it.
    pub fn text(&self) -> &str {
        self.text.trim()
    }

    /// The elements of this name that are directly in it.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first element of this name; empty where there is none.
    pub fn field(&self, name: &str) -> &str {
        self.all(name).next().map_or("", Self::text)
    }

    /// How it was written.
    pub fn raw(&self) -> &'a str {
        self.raw
    }
}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}> [{} bytes]", self.name, self.raw.len())
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `&amp;`, `&#38;` and their like; what is not known stays as it is written.
fn resolved(entity: &BytesRef<'_>) -> String {
    let name = String::from_utf8_lossy(entity);
    match entity.resolve_char_ref() {
        Ok(Some(character)) => character.to_string(),
        _ => resolve_predefined_entity(&name).map_or_else(|| format!("&{name};"), str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_that_were_meant() {
        let xml = "<a>\n <b>1 &lt; 2 &amp; &#x3042;&nbsp;</b><b><![CDATA[<i>&amp;]]></b><ns2:c x:d='\"&#34;'/> </a>";
        let root = Element::parse(xml).map(|root| {
            let of_b: Vec<String> = root.all("b").map(|b| b.text().to_owned()).collect();
            let c = root.all("c").next().map(|c| (c.attribute("d").to_owned(), c.raw()));
            (root.text().to_owned(), of_b, c)
        });
        let of_b = vec!["1 < 2 & あ&nbsp;".to_owned(), "<i>&amp;".to_owned()];
        assert_eq!(
            root.ok(),
            Some((String::new(), of_b, Some(("\"\"".to_owned(), "<ns2:c x:d='\"&#34;'/>"))))
        );
    }

    #[test]
    fn what_is_not_whole_is_an_error() {
        let whole = "<?xml version=\"1.0\"?><a><b x=\"1\">text</b><c/></a>";
        assert!(Element::parse(whole).is_ok());
        for end in 0..whole.len() {
            assert!(Element::parse(&whole[..end]).is_err(), "{}", &whole[..end]);
        }
        for bad in ["<a></b>", "</a>", "{}", "<a", &"<a>".repeat(100_000)] {
            assert!(Element::parse(bad).is_err());
        }
    }

    #[test]
    fn debug_shows_no_text() {
        let told = Element::parse("<a b=\"secret\">secret</a>").map(|root| format!("{root:?}"));
        assert_eq!(told.ok().as_deref(), Some("<a> [24 bytes]"));
    }
}
