//! Lists of layers, and the blocks in them that hold lists themselves: `residual { layers } shortcut { layers }`.

mod concat;
mod net;
mod repeat;

use proc_macro2::{Delimiter, Group};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Token};

use super::args::{skip_to_comma, skip_until};
use super::layer::{self, Head};
use super::words::{CONCAT, NET, REPEAT, RESIDUAL, SHORTCUT};
use super::{Doubt, Doubts, LayerDoubts, here, next_group};
use crate::diagnostics::Diagnostics;
use crate::ir::{Layer, Name, Net, Op, Place, Residual, Source};
use repeat::{Scope, scoped, title};

/// A block, for a help.
const FORM: &str = "write `residual { conv(16, kernel = 3, padding = same), relu }`";

/// Reads the layers between the braces of `network`, and the networks within. A faulty one is told, and the next one is read all the same.
/// `doubt`: about what arrives.
pub fn layers(
    input: ParseStream, network: &Ident, doubt: Doubt, faults: &mut Diagnostics,
) -> (Vec<Layer>, Vec<Net>, Doubts) {
    let mut reader = Reader {
        network,
        layers: Vec::new(),
        held: Vec::new(),
        doubts: Vec::new(),
        net_doubts: Vec::new(),
        position: 0,
        nets: Vec::new(),
        scopes: Vec::new(),
        scoped: 0,
        faults,
    };
    let end = reader.list(input, End { at: Source::Input, doubt });
    let doubts = Doubts { layers: reader.doubts, nets: reader.net_doubts, leaves: end.doubt };
    (reader.layers, reader.held, doubts)
}

/// How far a list has come.
#[derive(Clone, Copy)]
struct End {
    at: Source,
    /// About what leaves it, beyond what the layer yields.
    doubt: Doubt,
}

struct Reader<'a> {
    /// The network that is read.
    network: &'a Ident,
    layers: Vec<Layer>,
    held: Vec<Net>,
    doubts: Vec<LayerDoubts>,
    net_doubts: Vec<Doubt>,
    /// Layers seen, faulty ones too, in the innermost network.
    position: usize,
    /// The networks within that the layers belong to, the outermost first.
    nets: Vec<Ident>,
    /// The repetitions that the layers belong to, the outermost first; from `scoped` on those in the innermost network.
    scopes: Vec<Scope>,
    scoped: usize,
    faults: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn list(&mut self, input: ParseStream, mut end: End) -> End {
        while !input.is_empty() {
            if input.peek(Token![,]) {
                self.faults.push(here(input), "a layer is missing before this comma");
            } else {
                end = self.element(input, end);
            }
            if input.is_empty() {
                break;
            }
            if input.peek(Token![,]) {
                let _ = input.parse::<Token![,]>();
            } else {
                self.faults.push(here(input), "expected `,` before this: layers are separated by commas");
                // `relu max_pool(2)`: the next layer begins here. Otherwise nobody knows what this is.
                if !input.peek(Ident) {
                    skip_to_comma(input);
                    let _ = input.parse::<Token![,]>();
                }
            }
        }
        end
    }

    /// Reads one layer or block and stops before its comma.
    fn element(&mut self, input: ParseStream, end: End) -> End {
        let Some(head) = layer::head(input, self.faults) else {
            self.position += 1;
            return End { doubt: Doubt::ALL, ..end };
        };
        let word = head.kind.unraw().to_string();
        if word == RESIDUAL {
            return self.residual(head, input, end);
        }
        if word == SHORTCUT {
            return self.stray_shortcut(&head.kind, input, end);
        }
        if word == REPEAT {
            return self.repeat(head, input, end);
        }
        if word == CONCAT {
            return self.concat(head, input, end);
        }
        if word == NET {
            return self.net(head, input, end);
        }
        let named = head.name.is_some();
        let layer = layer::layer(head, input, self.position, self.faults);
        self.position += 1;
        match layer {
            Some(layer::Read { name, kind, op, doubt }) => self.push((name, named), kind, op, end, doubt),
            // There is none that could be guessed; what it yields is unknown.
            None => End { doubt: Doubt::ALL, ..end },
        }
    }

    /// The repetitions in the innermost network.
    fn scopes(&self) -> &[Scope] {
        &self.scopes[self.scoped..]
    }

    /// `named`: whether the name was declared.
    fn push(&mut self, (name, named): (Ident, bool), kind: Ident, op: Op, end: End, own: Doubt) -> End {
        let own_name = if named { scoped(self.scopes(), name) } else { name };
        let name = Name { nets: self.nets.clone(), own: own_name };
        let title = title(&self.scopes, &name);
        let (from, copy_of) = (end.at, None);
        self.layers.push(Layer { name, named, title, copy_of, kind, op, from, input: None, output: None });
        self.doubts.push(LayerDoubts { own, arrives: end.doubt, skip: Doubt::NONE, branches: Vec::new() });
        End { at: Source::Layer(self.layers.len() - 1), doubt: Doubt::NONE }
    }

    /// `{ layers }`, or `{ layers } shortcut { layers }`.
    fn residual(&mut self, head: Head, input: ParseStream, start: End) -> End {
        let Head { name, kind } = head;
        let name = name.map(|name| layer::usable(name, self.position, "block", self.faults));
        let who = name.as_ref().map_or("this block".to_owned(), |name| name.unraw().to_string());
        let arguments = next_group(input).filter(|group| group.delimiter() == Delimiter::Parenthesis);
        if let Some(arguments) = &arguments {
            skip_group(input);
            self.faults
                .push(Place::at(arguments.span()), format!("{who} takes no arguments"))
                .help("its layers stand in braces: `residual { … }`");
        }
        let layers = braces(input);
        if layers.is_none() && arguments.is_none() {
            self.faults.push(Place::at(kind.span()), format!("{who} has no layers: they stand in braces")).help(FORM);
        }
        let main = layers.as_ref().map(|group| {
            if group.stream().is_empty() {
                self.faults.push(Place::at(group.span()), format!("{who} has no layers")).help(FORM);
            }
            self.arm(group, start)
        });
        let shortcut = self.shortcut(&who, input, start);
        let Some(main) = main.filter(|_| layers.is_some_and(|group| !group.stream().is_empty())) else {
            // A sum has the shape of what is added.
            self.position += 1;
            return shortcut.unwrap_or(start);
        };

        let name = (name.clone().unwrap_or_else(|| layer::implicit(self.position, &kind)), name.is_some());
        self.position += 1;
        let op = Op::Residual(Residual { input: start.at, shortcut: shortcut.map(|end| end.at) });
        let end = self.push(name, kind, op, main, Doubt::NONE);
        if let Some(doubts) = self.doubts.last_mut() {
            doubts.skip = shortcut.unwrap_or(start).doubt;
        }
        end
    }

    /// The layers of one arm of a block.
    fn arm(&mut self, group: &Group, start: End) -> End {
        let mut end = start;
        let read = |input: ParseStream| {
            end = self.list(input, start);
            skip_until(input, |_| false);
            Ok(())
        };
        // The reader consumes everything and returns no error of its own.
        let _ = read.parse2(group.stream());
        end
    }

    /// The shortcut behind a block's layers, if there is one.
    fn shortcut(&mut self, who: &str, input: ParseStream, start: End) -> Option<End> {
        let mut shortcut = None;
        while is_shortcut(input) {
            let word = input.call(Ident::parse_any).ok()?;
            let place = Place::at(word.span());
            let layers = braces(input);
            if shortcut.is_some() {
                self.faults.push(place, format!("{who} has a shortcut already"));
                continue;
            }
            let unknown = End { doubt: Doubt::ALL, ..start };
            shortcut = Some(match layers {
                None => {
                    let fault = self.faults.push(place, "a shortcut has its layers in braces");
                    fault.help("write `residual { … } shortcut { conv(32, kernel = 1, stride = 2) }`");
                    unknown
                }
                Some(group) if group.stream().is_empty() => {
                    self.faults
                        .push(Place::at(group.span()), format!("{who} has an empty shortcut"))
                        .help("without `shortcut` the block's input is added as it is");
                    unknown
                }
                Some(group) => self.arm(&group, start),
            });
        }
        shortcut
    }

    /// A shortcut that no block is before.
    fn stray_shortcut(&mut self, word: &Ident, input: ParseStream, end: End) -> End {
        let _ = braces(input);
        self.position += 1;
        let fault = self.faults.push(Place::at(word.span()), "a shortcut belongs to the `residual { … }` before it");
        if let Source::Layer(before) = end.at
            && matches!(self.layers[before].op, Op::Residual(Residual { shortcut: None, .. }))
        {
            fault.help("leave out the comma between them: `residual { … } shortcut { … }`");
            // What was meant to be added is unknown, but not what the layers yield.
            self.doubts[before].skip = Doubt::ALL;
            return end;
        }
        fault.help("write `residual { … } shortcut { … }`");
        End { doubt: Doubt::ALL, ..end }
    }
}

/// Whether a shortcut follows, and not a layer of that name.
fn is_shortcut(input: ParseStream) -> bool {
    let follows = input.peek(Ident) && !input.peek2(Token![:]);
    follows && input.fork().parse::<Ident>().is_ok_and(|word| word == SHORTCUT)
}

/// The braces that follow, if any do.
fn braces(input: ParseStream) -> Option<Group> {
    let group = next_group(input).filter(|group| group.delimiter() == Delimiter::Brace)?;
    skip_group(input);
    Some(group)
}

fn skip_group(input: ParseStream) {
    let _ = input.parse::<Group>();
}
