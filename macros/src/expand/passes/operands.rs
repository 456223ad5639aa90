//! The operands of a step as tokens: windows into an arena, or the caller's slices.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;
use tenonet_shape::{Life, place};

use crate::expand::Context;
use crate::ir::Source;
use crate::plan::Buffer;
use crate::size::Size;

/// An arena: the offsets of its buffers and its length.
pub struct Arena {
    offsets: Vec<Size>,
    lens: Vec<Size>,
    /// From when to when each buffer is needed.
    times: Vec<[usize; 2]>,
    pub total: Size,
    /// The constant that holds them, where the compiler has to place the buffers.
    pub item: TokenStream,
}

impl Arena {
    /// Numbers where all lengths are known, otherwise
    /// ```text
    /// const TAPE: tn::Placement<2> = tn::Placement::new([tn::Life::new(…, 0, 1), …]);
    /// ```
    pub fn new(context: &Context<'_>, buffers: &[Buffer], name: &str) -> Arena {
        let times = buffers.iter().map(|buffer| [buffer.first, buffer.last]).collect();
        let lens: Vec<Size> = buffers.iter().map(|buffer| context.shapes.at(buffer.shape).len()).collect();
        let known = buffers.iter().zip(&lens).map(|(buffer, len)| match len {
            Size::Known(len) => Some(buffer.life(*len)),
            Size::Const(_) => None,
        });
        if let Some(lives) = known.collect::<Option<Vec<Life>>>() {
            let (mut offsets, mut order) = (vec![0; lives.len()], vec![0; lives.len()]);
            let total = Size::Known(place(&lives, &mut offsets, &mut order));
            return Arena {
                offsets: offsets.into_iter().map(Size::Known).collect(),
                lens,
                times,
                total,
                item: TokenStream::new(),
            };
        }
        debug_assert!(buffers.iter().all(|buffer| buffer.over.is_none()), "the compiler places each buffer apart");
        let (name, count) = (format_ident!("{name}"), Size::Known(buffers.len()));
        let lives = buffers.iter().zip(&lens).map(|(buffer, len)| {
            let (first, last) = (Size::Known(buffer.first), Size::Known(buffer.last));
            quote!(tn::Life::new(#len, #first, #last))
        });
        let item = quote!(const #name: tn::Placement<#count> = tn::Placement::new([#(#lives),*]););
        let offset = |index| {
            let index = Size::Known(index);
            Size::Const(quote!(#name.offsets[#index]))
        };
        let offsets = (0..buffers.len()).map(offset).collect();
        Arena { offsets, lens, times, total: Size::Const(quote!(#name.total)), item }
    }

    /// What is in use at a time: `[0, 1176], [1176, 1576]`.
    pub fn taken(&self, time: usize) -> TokenStream {
        let buffers = (0..self.times.len()).filter(|buffer| {
            let [first, last] = self.times[*buffer];
            first <= time && time <= last
        });
        let ranges = buffers.map(|buffer| {
            let (first, end) = (&self.offsets[buffer], self.offsets[buffer].plus(&self.lens[buffer]));
            quote!([#first, #end])
        });
        quote!(#(#ranges),*)
    }

    /// `tn::At<tn::Pixels<14, 14, 6, T>, 0>`: a buffer with a value of this shape.
    pub fn window(&self, context: &Context<'_>, buffer: usize, shape: Source) -> Where {
        let (value, offset) = (pixels(context, shape, quote!(T)), self.offsets[buffer].argument());
        let [first, last] = self.times[buffer];
        // Needed in one stretch alone.
        Where::Arena(if first == last { quote!(tn::Near<#value, #offset>) } else { quote!(tn::At<#value, #offset>) })
    }
}

/// The type of a value in a network: `tn::Pixels<14, 14, 6, T>`, or `[T; 120]`.
pub fn pixels(context: &Context<'_>, shape: Source, element: TokenStream) -> TokenStream {
    let shape = context.shapes.at(shape);
    let [c, h, w] = shape.sides().map(|side| side.argument());
    if shape.is_flat() { quote!([#element; #c]) } else { quote!(tn::Pixels<#h, #w, #c, #element>) }
}

/// Where an operand lies.
pub enum Where {
    /// A window of the arena.
    Arena(TokenStream),
    /// A slice of the caller's.
    Slice(TokenStream),
}

/// A name for a value that a step reads or writes.
pub struct Operand {
    pub name: &'static str,
    pub lies: Where,
    pub writes: bool,
}

impl Operand {
    pub fn read(name: &'static str, lies: Where) -> Operand {
        Operand { name, lies, writes: false }
    }

    pub fn write(name: &'static str, lies: Where) -> Operand {
        Operand { name, lies, writes: true }
    }
}

/// ```text
/// let (x, y) = activations.step::<tn::At<…>, tn::At<…>>();
/// let skip = inputs;
/// ```
/// Those of the arena are borrowed at once. At most three are read and written, reads first.
pub fn borrow(arena: &str, operands: Vec<Operand>) -> TokenStream {
    let arena = format_ident!("{arena}");
    let (mut names, mut windows, mut writes) = (Vec::<Ident>::new(), Vec::new(), Vec::new());
    let (mut before, mut behind) = (TokenStream::new(), TokenStream::new());
    for operand in operands {
        let name = format_ident!("{}", operand.name);
        match operand.lies {
            Where::Slice(slice) => {
                let slices = if names.is_empty() { &mut before } else { &mut behind };
                slices.extend(quote!(let #name = #slice;));
            }
            Where::Arena(window) => {
                names.push(name);
                windows.push(window);
                writes.push(operand.writes);
            }
        }
    }
    let call = match writes.as_slice() {
        [] => return before,
        [false] => quote!(let #(#names)* = &*#arena.one::<#(#windows)*>();),
        [true] => quote!(let #(#names)* = #arena.one::<#(#windows)*>();),
        writes => {
            let call = match writes {
                [false, false] => quote!(both),
                [false, true] => quote!(step),
                [true, true] => quote!(two),
                _ => quote!(join),
            };
            quote!(let (#(#names),*) = #arena.#call::<#(#windows),*>();)
        }
    };
    quote!(#before #call #behind)
}
