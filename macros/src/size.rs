//! Numbers of elements: computed here where they are known, printed as an expression where only the compiler knows.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

/// A number of elements.
#[derive(Clone, Debug)]
pub enum Size {
    Known(usize),
    /// A `const` expression.
    Const(TokenStream),
}

impl Size {
    pub fn plus(&self, other: &Size) -> Size {
        match (self, other) {
            (Size::Known(a), Size::Known(b)) => Size::Known(a.saturating_add(*b)),
            (Size::Known(0), other) | (other, Size::Known(0)) => other.clone(),
            (a, b) => Size::Const(quote!(#a + #b)),
        }
    }

    pub fn times(&self, factor: usize) -> Size {
        match self {
            Size::Known(a) => Size::Known(a.saturating_mul(factor)),
            Size::Const(_) if factor == 1 => self.clone(),
            Size::Const(a) => {
                let factor = Size::Known(factor);
                Size::Const(quote!((#a) * #factor))
            }
        }
    }

    /// As the argument of a const parameter: braces around an expression.
    pub fn argument(&self) -> TokenStream {
        match self {
            Size::Known(_) => self.to_token_stream(),
            Size::Const(a) => quote!({ #a }),
        }
    }
}

impl ToTokens for Size {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Size::Known(n) => proc_macro2::Literal::usize_unsuffixed(*n).to_tokens(tokens),
            Size::Const(a) => a.to_tokens(tokens),
        }
    }
}
