//! XML: answers that are written, and requests that are read. It knows no channel. Pure.

use std::borrow::Cow;
use std::fmt::Display;

use roxmltree::{Document, Node};

/// An element to be written.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    name: Cow<'static, str>,
    attributes: Vec<(&'static str, String)>,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Text(String),
    CData(String),
    Children(Vec<Element>),
}

impl Element {
    /// An element without content, to which children can be added.
    pub(crate) fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), attributes: Vec::new(), content: Content::Children(Vec::new()) }
    }

    /// An element with a text, which may be empty.
    pub(crate) fn text(name: impl Into<Cow<'static, str>>, text: impl Display) -> Self {
        Self { content: Content::Text(text.to_string()), ..Self::new(name) }
    }

    /// An element with a text in CDATA.
    pub(crate) fn cdata(name: impl Into<Cow<'static, str>>, text: impl Display) -> Self {
        Self { content: Content::CData(text.to_string()), ..Self::new(name) }
    }

    /// Adds an attribute.
    #[must_use]
    pub(crate) fn attribute(mut self, name: &'static str, value: impl Display) -> Self {
        self.attributes.push((name, value.to_string()));
        self
    }

    /// Adds a child. A text that was there is gone.
    #[must_use]
    pub(crate) fn child(self, child: Element) -> Self {
        self.children([child])
    }

    /// Adds children.
    #[must_use]
    pub(crate) fn children(mut self, more: impl IntoIterator<Item = Element>) -> Self {
        match &mut self.content {
            Content::Children(children) => children.extend(more),
            text => *text = Content::Children(more.into_iter().collect()),
        }
        self
    }

    /// The whole document, with a declaration.
    pub(crate) fn document(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            escape(value, out);
            out.push('"');
        }
        match &self.content {
            Content::Children(children) if children.is_empty() => {
                out.push_str(" />");
                return;
            }
            Content::Children(children) => {
                out.push('>');
                children.iter().for_each(|child| child.write(out));
            }
            Content::Text(text) => {
                out.push('>');
                escape(text, out);
            }
            Content::CData(text) => {
                out.push_str("><![CDATA[");
                let text: String = text.chars().filter(|&c| is_legal(c)).collect();
                // The end mark can't stand inside: it is shared between two sections.
                out.push_str(&text.replace("]]>", "]]]]><![CDATA[>"));
                out.push_str("]]>");
            }
        }
        out.push_str("</");
        out.push_str(&self.name);
        out.push('>');
    }
}

/// Whether XML 1.0 can hold a character at all.
fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{FFFD}' | '\u{10000}'..)
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars().filter(|&c| is_legal(c)) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}

/// An element that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tree {
    /// Its name, without a namespace.
    pub(crate) name: String,
    /// Its own text, trimmed; of an element with children mostly empty.
    pub(crate) text: String,
    /// The elements in it.
    pub(crate) children: Vec<Tree>,
}

impl Tree {
    /// The root of a document in UTF-8. None when it is not well-formed.
    pub(crate) fn parse(document: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(document).ok()?;
        let document = Document::parse(text.trim_start_matches('\u{FEFF}').trim_start()).ok()?;
        Some(Self::of(document.root_element()))
    }

    fn of(node: Node<'_, '_>) -> Self {
        let text: String = node.children().filter(Node::is_text).filter_map(|child| child.text()).collect();
        Self {
            name: node.tag_name().name().to_owned(),
            text: text.trim().to_owned(),
            children: node.children().filter(Node::is_element).map(Self::of).collect(),
        }
    }

    /// The first child of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Tree> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The element below, by the names on the way.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Tree> {
        path.iter().try_fold(self, |tree, name| tree.child(name))
    }

    /// The text of the element below. None when it is absent or empty.
    pub(crate) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path).map(|tree| tree.text.as_str()).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let texts = ["a & b < c > \"d\" 🌿", "]]> in the middle", "", "\u{1}gone"];
        for text in texts {
            let kept = text.replace('\u{1}', "");
            for element in [Element::text("T", text), Element::cdata("T", text)] {
                let document = Element::new("R").attribute("a", text).child(element).document();
                let tree = Tree::parse(document.as_bytes()).unwrap();
                assert_eq!(tree.at(&["T"]).unwrap().text, kept, "{document}");
                assert_eq!(Document::parse(&document).unwrap().root_element().attribute("a"), Some(&*kept));
            }
        }
    }

    #[test]
    fn an_element_without_content_is_one_tag() {
        assert!(Element::new("R").child(Element::new("E")).document().ends_with("<R><E /></R>"));
    }

    #[test]
    fn texts_are_found_by_their_way() {
        let tree = Tree::parse("<Req>\n <A><B> 1 </B><B>2</B><C/></A></Req>".as_bytes()).unwrap();
        assert_eq!(tree.text_at(&["A", "B"]), Some("1"));
        assert_eq!(tree.text_at(&["A", "C"]), None);
        assert!(tree.at(&["A", "C"]).is_some());
        assert_eq!(tree.text_at(&["B"]), None);
    }

    #[test]
    fn what_is_not_well_formed_is_nothing() {
        for text in [
            &b""[..],
            b"<Req>",
            b"a=b",
            b"<a></b>",
            b"\xff<a/>",
            b"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
        ] {
            assert_eq!(Tree::parse(text), None);
        }
    }
}
