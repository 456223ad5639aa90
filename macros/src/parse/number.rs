//! Numbers: a literal, arithmetic of literals, or any other expression, which is left to the compiler.

use proc_macro2::Span;
use syn::{BinOp, Expr, ExprBlock, ExprLit, Lit, LitFloat, Stmt, UnOp};

use super::words;
use crate::diagnostics::Diagnostics;
use crate::ir::{Num, Place};

/// A number of elements; tells what is wrong with it and yields `None` if it cannot be one.
///
/// `what` begins the message: `conv1: kernel`.
pub fn number(expr: Expr, what: &str, faults: &mut Diagnostics) -> Option<Num> {
    let expr = bare(expr);
    match fold(&expr) {
        Ok(Some(value)) => Some(Num::Known(value, Place::of(&expr))),
        Ok(None) => Some(Num::Const(Box::new(expr))),
        Err(fault) => {
            let text = match fault.why {
                Why::Not(found) => format!("{what} wants a whole number, not {found}"),
                Why::Negative => format!("{what} is negative"),
                Why::TooLarge => format!("{what} is too large for 64 bits"),
                Why::Suffix(suffix) => format!("{what} is a `usize`, not a `{suffix}`"),
            };
            faults.push(fault.place, text);
            None
        }
    }
}

/// A real number (a slope, a scale) as an expression of type `f64`: `1` is written for `1.0`.
pub fn real(expr: Expr, what: &str, faults: &mut Diagnostics) -> Option<Expr> {
    let expr = bare(expr);
    let place = Place::of(&expr);
    match &expr {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Float(_) => Some(expr),
            Lit::Int(int) if int.suffix().is_empty() => Some(float(int.base10_parse().unwrap_or(f64::MAX), int.span())),
            other => {
                faults.push(place, format!("{what} wants a real number, not {}", literal(other)));
                None
            }
        },
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            let mut unary = unary.clone();
            unary.expr = Box::new(real(*unary.expr, what, faults)?);
            Some(Expr::Unary(unary))
        }
        Expr::Tuple(_) => {
            faults.push(place, format!("{what} wants one real number"));
            None
        }
        _ => Some(expr),
    }
}

/// The value of a real number that is a literal, with or without a sign.
pub fn literal_value(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_parse().ok(),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => literal_value(&unary.expr).map(|value: f64| -value),
        _ => None,
    }
}

/// The literal of an `f64`.
pub fn float(value: f64, span: Span) -> Expr {
    let lit = Lit::Float(LitFloat::new(&format!("{value:?}"), span));
    Expr::Lit(ExprLit { attrs: Vec::new(), lit })
}

/// An expression without parentheses, braces and invisible groups (of `macro_rules!`) around it.
pub fn bare(expr: Expr) -> Expr {
    match expr {
        Expr::Paren(paren) if paren.attrs.is_empty() => bare(*paren.expr),
        Expr::Group(group) if group.attrs.is_empty() => bare(*group.expr),
        Expr::Block(block) => match sole(&block) {
            Some(inner) => bare(inner.clone()),
            None => Expr::Block(block),
        },
        expr => expr,
    }
}

/// The expression of a block that holds nothing else: `{ N + 1 }`.
fn sole(block: &ExprBlock) -> Option<&Expr> {
    match block.block.stmts.as_slice() {
        [Stmt::Expr(inner, None)] if block.attrs.is_empty() && block.label.is_none() => Some(inner),
        _ => None,
    }
}

struct Unfit {
    place: Place,
    why: Why,
}

enum Why {
    /// It is something else, in words.
    Not(String),
    Negative,
    TooLarge,
    Suffix(String),
}

/// The value of arithmetic of literals; `None` where anything else is in it.
fn fold(expr: &Expr) -> Result<Option<usize>, Unfit> {
    let unfit = |why| Err(Unfit { place: Place::of(expr), why });
    match expr {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(int) => match int.suffix() {
                "" | "usize" => match int.base10_parse::<u64>().ok().and_then(|value| usize::try_from(value).ok()) {
                    Some(value) => Ok(Some(value)),
                    None => unfit(Why::TooLarge),
                },
                suffix => unfit(Why::Suffix(suffix.to_owned())),
            },
            other => unfit(Why::Not(literal(other))),
        },
        Expr::Paren(paren) => fold(&paren.expr),
        Expr::Group(group) => fold(&group.expr),
        Expr::Block(block) => sole(block).map_or(Ok(None), fold),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => match fold(&unary.expr)? {
            Some(0) => Ok(Some(0)),
            Some(_) => unfit(Why::Negative),
            None => Ok(None),
        },
        Expr::Binary(binary) => {
            let (Some(left), Some(right)) = (fold(&binary.left)?, fold(&binary.right)?) else {
                return Ok(None);
            };
            let value = match binary.op {
                BinOp::Add(_) => left.checked_add(right),
                BinOp::Mul(_) => left.checked_mul(right),
                BinOp::Sub(_) if left < right => return unfit(Why::Negative),
                BinOp::Sub(_) => Some(left - right),
                // A division by zero and every other operator are the compiler's.
                BinOp::Div(_) if right > 0 => Some(left / right),
                BinOp::Rem(_) if right > 0 => Some(left % right),
                _ => return Ok(None),
            };
            value.map_or_else(|| unfit(Why::TooLarge), |value| Ok(Some(value)))
        }
        Expr::Tuple(_) => unfit(Why::Not("a list".to_owned())),
        Expr::Array(_) => unfit(Why::Not("an array".to_owned())),
        Expr::Path(path) => match path.path.get_ident() {
            Some(ident) if words::FLAGS.iter().any(|flag| ident == flag) => unfit(Why::Not(format!("`{ident}`"))),
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// What a literal is that is no whole number.
fn literal(lit: &Lit) -> String {
    match lit {
        Lit::Str(_) | Lit::ByteStr(_) | Lit::CStr(_) => "a string".to_owned(),
        Lit::Char(_) | Lit::Byte(_) => "a character".to_owned(),
        Lit::Bool(bool) => format!("`{}`", bool.value),
        Lit::Float(float) => format!("`{float}`"),
        Lit::Int(int) => format!("`{int}`"),
        _ => "this".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn value(expr: Expr) -> Result<Option<usize>, String> {
        let mut faults = Diagnostics::default();
        match number(expr, "n", &mut faults) {
            Some(num) => Ok(num.known()),
            None => Err(faults.iter().map(|fault| fault.text()).collect()),
        }
    }

    #[test]
    fn folds_literals() {
        assert_eq!(value(parse_quote!(256 * 1024)), Ok(Some(262_144)));
        assert_eq!(value(parse_quote!({ (7usize - 1) / 2 + 0x10 % 5 })), Ok(Some(4)));
        assert_eq!(value(parse_quote!(N * 2)), Ok(None));
        assert_eq!(value(parse_quote!(5 / 0)), Ok(None));
        assert_eq!(
            value(parse_quote!({
                let n = 1;
                n
            })),
            Ok(None)
        );
    }

    #[test]
    fn refuses_what_is_no_size() {
        for (expr, text) in [
            (parse_quote!(5.0), "n wants a whole number, not `5.0`"),
            (parse_quote!("5"), "n wants a whole number, not a string"),
            (parse_quote!(same), "n wants a whole number, not `same`"),
            (parse_quote!((1, 2)), "n wants a whole number, not a list"),
            (parse_quote!(-3), "n is negative"),
            (parse_quote!(3 - 4), "n is negative"),
            (parse_quote!(5u8), "n is a `usize`, not a `u8`"),
            (parse_quote!(99999999999999999999), "n is too large for 64 bits"),
            (parse_quote!(9999999999 * 9999999999), "n is too large for 64 bits"),
        ] as [(Expr, &str); 9]
        {
            assert_eq!(value(expr), Err(text.to_owned()));
        }
    }

    #[test]
    fn reals() {
        let mut faults = Diagnostics::default();
        let mut text = |expr| real(expr, "slope", &mut faults).map(|expr| quote::quote!(#expr).to_string());
        assert_eq!(text(parse_quote!(1)).as_deref(), Some("1.0"));
        assert_eq!(text(parse_quote!(-0.5)).as_deref(), Some("- 0.5"));
        assert_eq!(text(parse_quote!(SLOPE)).as_deref(), Some("SLOPE"));
        assert_eq!(text(parse_quote!("x")), None);
    }
}
