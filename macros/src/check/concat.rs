//! Branches that are joined: all of them have one height and one width.

use tenonet_shape::{self as shape, Shape, Text};

use super::Map;
use super::layer::{Told, Trial};
use crate::diagnostics::Diagnostics;
use crate::ir::{Op, Place};
use crate::parse::Doubt;

/// Tells the branch that differs from the others, and yields the joined map. `branches`: what leaves each of them.
pub fn check((index, layer): Trial<'_>, branches: &[Map], told: &mut Told, faults: &mut Diagnostics) -> Map {
    let (input, surely_map) = (branches.first().and_then(|branch| branch.shape), branches.iter().any(|b| b.surely_map));
    layer.input = input;
    let mut doubt = Doubt::NONE;
    for branch in branches {
        doubt.channels |= branch.doubt.channels;
    }
    let (Some(shapes), Op::Concat(concat)) = (settled(branches), &layer.op) else {
        // The compiler will tell if the branches do not fit.
        return Map { shape: None, doubt, surely_map };
    };
    doubt.height = branches.iter().all(|branch| branch.doubt.height);
    doubt.width = branches.iter().all(|branch| branch.doubt.width);

    let joined = shape::Concat { branches: &shapes };
    let text = |text: Text| text.as_str().to_owned();
    if let Some(wrong) = joined.wrong() {
        if told.is_first(layer, index, "branches".to_owned()) {
            faults
                .push(concat.branches[wrong].place, text(joined.headline(&layer.title)))
                .note(text(joined.note()))
                .help(text(joined.help()));
        }
        // It may be any branch that is wrong.
        doubt |= Doubt::SIZE;
    }
    for fault in joined.faults().iter().filter(|_| doubt == Doubt::NONE) {
        if told.is_first(layer, index, "size".to_owned()) {
            faults.push(Place::at(layer.kind.span()), text(fault.headline(&layer.title)));
        }
    }
    if !joined.faults().is_empty() {
        doubt = Doubt::ALL;
    }
    let output = joined.output();
    layer.output = Some(output);
    Map { shape: Some(output), doubt, surely_map }
}

/// The branches' shapes, if all are known: along an axis on which a branch is in doubt it is taken to be as those that are not.
fn settled(branches: &[Map]) -> Option<Vec<Shape>> {
    let shapes = branches.iter().map(|branch| branch.shape).collect::<Option<Vec<Shape>>>()?;
    let sure = |on: fn(&Doubt) -> bool| branches.iter().position(|branch| !on(&branch.doubt)).unwrap_or(0);
    let (height, width) = (sure(|doubt| doubt.height), sure(|doubt| doubt.width));
    let settled = branches.iter().zip(&shapes).map(|(branch, shape)| Shape {
        c: shape.c,
        h: if branch.doubt.height { shapes[height].h } else { shape.h },
        w: if branch.doubt.width { shapes[width].w } else { shape.w },
    });
    Some(settled.collect())
}
