//! im2col against its definition, and its transpose.

use proptest::prelude::*;

use super::gemm::any_data;
use super::{Data, Source, assert_close, cases, nans};
use crate::kernels::im2col::{col2im, im2col, pad_rows};
use crate::shape::{Conv, Shape};

/// A convolution without fault, a group of it and some of its output rows.
fn draws() -> impl Strategy<Value = (Conv, usize, core::ops::Range<usize>)> {
    let conv = (
        (1_usize..=3, 1_usize..=4, 1_usize..=12, 1_usize..=12),
        [1_usize..=5, 1..=5],
        [1_usize..=3, 1..=3],
        [0_usize..=6, 0..=6, 0..=6, 0..=6],
        [1_usize..=3, 1..=3],
    );
    let conv = conv.prop_map(|((groups, inputs, h, w), kernel, stride, padding, dilation)| Conv {
        input: Shape::new(groups * inputs, h, w),
        out_channels: groups,
        kernel,
        stride,
        padding,
        dilation,
        groups,
        bias: false,
    });
    let conv = conv.prop_filter("the kernel must fit", |conv| conv.faults().is_empty());
    conv.prop_flat_map(|conv| (Just(conv), 0..conv.groups, 0..conv.output().h, 1_usize..=12))
        .prop_map(|(conv, group, row, rows)| (conv, group, row..(row + rows).min(conv.output().h)))
}

proptest! {
    #![proptest_config(cases(200))]

    /// Row (c, u, v), column (r, s) is `x[c][r·stride + u·dilation − top][s·stride + v·dilation − left]`, or zero outside.
    #[test]
    fn is_what_each_tap_sees((conv, group, rows) in draws(), seed: u64) {
        let ic = conv.group_inputs();
        let x = Source::new(seed, Data::Whole).items::<f64, f64>(conv.input.len());
        let ow = conv.output().w;
        let mut matrix = nans::<f64, f64>(conv.taps() * rows.len() * ow);
        im2col(&conv, &x, group * ic..(group + 1) * ic, rows.clone(), &mut matrix);
        let mut entries = matrix.iter();
        for c in group * ic..(group + 1) * ic {
            for (u, v) in (0..conv.kernel[0]).flat_map(|u| (0..conv.kernel[1]).map(move |v| (u, v))) {
                for (r, s) in rows.clone().flat_map(|r| (0..ow).map(move |s| (r, s))) {
                    let y = (r * conv.stride[0] + u * conv.dilation[0]).checked_sub(conv.padding[0]);
                    let z = (s * conv.stride[1] + v * conv.dilation[1]).checked_sub(conv.padding[2]);
                    let wanted = match (y, z) {
                        (Some(y), Some(z)) if y < conv.input.h && z < conv.input.w => x[(c * conv.input.h + y) * conv.input.w + z],
                        _ => 0.0,
                    };
                    prop_assert_eq!(*entries.next().unwrap(), wanted);
                }
            }
        }
        prop_assert!(entries.next().is_none());
    }

    /// ⟨im2col x, y⟩ = ⟨x, col2im y⟩, exactly for whole numbers.
    #[test]
    fn is_adjoint_to_col2im((conv, group, rows) in draws(), seed: u64, data in any_data()) {
        let ic = conv.group_inputs();
        let channels = group * ic..(group + 1) * ic;
        let mut source = Source::new(seed, data);
        let x = source.items::<f64, f64>(conv.input.len());
        let y = source.items::<f64, f64>(conv.taps() * rows.len() * conv.output().w);
        let mut matrix = nans::<f64, f64>(y.len());
        im2col(&conv, &x, channels.clone(), rows.clone(), &mut matrix);
        // col2im adds to what is there.
        let before = source.items::<f64, f64>(x.len());
        let mut back = before.to_vec();
        col2im(&conv, &y, channels, rows, &mut back);
        let left: f64 = matrix.iter().zip(y.iter()).map(|(a, b)| a * b).sum();
        let right: f64 = x.iter().zip(back.iter().zip(before.iter())).map(|(x, (now, before))| x * (now - before)).sum();
        let scale: f64 = matrix.iter().zip(y.iter()).map(|(a, b)| (a * b).abs()).sum();
        assert_close("inner product", data, &[left], &[right], &[scale + before.len() as f64], y.len() + x.len() + 8);
    }

    /// The band is the padded input, cut to what the rows see.
    #[test]
    fn bands_are_padded((conv, group, rows) in draws(), seed: u64) {
        let ic = conv.group_inputs();
        let x = Source::new(seed, Data::Whole).items::<f32, f32>(conv.input.len());
        let band_h = (rows.len() - 1) * conv.stride[0] + conv.extent()[0];
        let w = conv.padded()[1];
        let mut band = nans::<f32, f32>(ic * band_h * w);
        pad_rows(&conv, &x, group * ic..(group + 1) * ic, rows.clone(), &mut band);
        for (i, found) in band.iter().enumerate() {
            let (c, r, s) = (group * ic + i / w / band_h, i / w % band_h, i % w);
            let y = (rows.start * conv.stride[0] + r).wrapping_sub(conv.padding[0]);
            let z = s.wrapping_sub(conv.padding[2]);
            let inside = y < conv.input.h && z < conv.input.w;
            let wanted = if inside { x[(c * conv.input.h + y) * conv.input.w + z] } else { 0.0 };
            prop_assert_eq!(*found, wanted);
        }
    }
}
