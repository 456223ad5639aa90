//! Lesson 6: convolution of signals and images.
//!
//! What networks call convolution is cross-correlation: a small kernel `g` is laid on each place of the signal, every `S`-th with the stride `S`, and tells how much what is there is like it.
//!
//! ```text
//! (f ⋆ g)[i]    = Σ_k f[i·S + k] g[k]
//! (f ⋆ g)[i, j] = Σ_k Σ_l f[i·S + k, j·S + l] g[k, l]
//! ```
//!
//! A kernel of `K` elements yields `(L − K) / S + 1` from `L`. Convolution proper, `(f * g)[i] = Σ_k f[i − k] g[k]`, is the same with the kernel turned around. Both are linear in `f`; convolution is commutative
//! as well, `f * g = g * f`.
//!
//! ```sh
//! cargo run --release --example 06_convolution                      # a drawn picture
//! cargo run --release --example 06_convolution -- --image FILE      # your own, a PNG
//! ```
//!
//! - `06_smoothing`: a noisy step, and its means by kernels of 3 and 5. They take noise away, and make the step less steep.
//! - `06_difference`: what kernels that take differences make of it. The step becomes a peak; on the wider kernel, which smooths as well, the noise is smaller.
//! - `06_blur`: the picture and two means of it, with strides of 1 and 2. Every second pixel alone leaves stairs at the edges of roof and sun; of means it does not.
//! - `06_edges`: its edges, blue below 0 and red above: Sobel kernels see how the picture gets lighter to the right and downwards, the Laplace kernel where the slope changes.

mod lesson;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lesson::Lesson;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tenonet::plot::{Chart, Maps};
use tenonet::prelude::*;
use tenonet::signal::{Stride, correlate, correlate_1d, flip_1d};

/// The argument of this lesson alone.
#[derive(clap::Args)]
struct Own {
    /// A picture to convolve, PNG: its middle is taken, grey, 128 × 128.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
}

fn main() -> ExitCode {
    Lesson::run_with(|lesson, own: Own| {
        signals(lesson)?;
        laws()?;
        let picture = match &own.image {
            Some(file) => read(file)?,
            None => drawn(),
        };
        images(lesson, &picture)
    })
}

/// Elements of the signal.
const L: usize = 80;

type Signal = Tensor<1, 1, L>;

// Means of 3 and of 5 neighbours.
const MEAN_3: [f32; 3] = [1.0 / 3.0; 3];
const MEAN_5: [f32; 5] = [1.0 / 5.0; 5];
// Differences of the neighbours, and of the neighbours' means.
const DIFFERENCE_3: [f32; 3] = [-0.5, 0.0, 0.5];
const DIFFERENCE_5: [f32; 5] = [-1.0 / 8.0, -2.0 / 8.0, 0.0, 2.0 / 8.0, 1.0 / 8.0];

/// Smoothing and difference kernels on a step with noise.
fn signals(lesson: &Lesson) -> anyhow::Result<()> {
    let mut rng = StdRng::seed_from_u64(7);
    let step = Signal::from_fn(|_, _, i| if i < L / 2 { 0.0 } else { 1.0 });
    let noise = Signal::from_fn(|_, _, _| rng.random_range(-0.2..0.2));
    let f = Signal::from_fn(|_, _, i| step[0][0][i] + noise[0][0][i]);

    // The compiler knows the lengths: another number here is an error.
    let mean_3: Tensor<1, 1, 78> = correlate_1d(&f, &MEAN_3, Stride::<1>);
    let mean_5: Tensor<1, 1, 76> = correlate_1d(&f, &MEAN_5, Stride::<1>);
    let difference_3: Tensor<1, 1, 78> = correlate_1d(&f, &DIFFERENCE_3, Stride::<1>);
    let difference_5: Tensor<1, 1, 76> = correlate_1d(&f, &DIFFERENCE_5, Stride::<1>);
    let half_3: Tensor<1, 1, 39> = correlate_1d(&f, &DIFFERENCE_3, Stride::<2>);
    let half_5: Tensor<1, 1, 38> = correlate_1d(&f, &DIFFERENCE_5, Stride::<2>);
    // Stride 2 is every second output of stride 1.
    anyhow::ensure!((0..39).all(|i| half_3[0][0][i] == difference_3[0][0][2 * i]), "stride 2 of kernel 3");
    anyhow::ensure!((0..38).all(|i| half_5[0][0][i] == difference_5[0][0][2 * i]), "stride 2 of kernel 5");

    // Noise of independent elements becomes |g| times as large, and a kernel of sum 0 takes a constant to 0.
    println!("Kernels on a step with noise, of {L} elements:\n");
    println!("{:<14}{:>8}{:>8}{:>22}{:>20}", "kernel g", "Σ g", "|g|", "output of stride 1, 2", "noise is times");
    let before = deviation(&noise);
    let row = |name: &str, g: &[f32], outputs: [usize; 2], after: f32| {
        let (sum, norm) = (g.iter().sum::<f32>(), g.iter().map(|g| g * g).sum::<f32>().sqrt());
        let [one, two] = outputs;
        println!("{name:<14}{sum:>8.3}{norm:>8.3}{:>22}{:>20.3}", format!("{one}, {two}"), after / before);
        anyhow::ensure!((after / before / norm - 1.0).abs() < 0.25, "{name}: the noise is not |g| times as large");
        Ok(())
    };
    let smooth = |g| -> Tensor<1, 1, 78> { correlate_1d(&noise, g, Stride::<1>) };
    let wide = |g| -> Tensor<1, 1, 76> { correlate_1d(&noise, g, Stride::<1>) };
    row("mean 3", &MEAN_3, [78, 39], deviation(&smooth(&MEAN_3)))?;
    row("mean 5", &MEAN_5, [76, 38], deviation(&wide(&MEAN_5)))?;
    row("difference 3", &DIFFERENCE_3, [78, 39], deviation(&smooth(&DIFFERENCE_3)))?;
    row("difference 5", &DIFFERENCE_5, [76, 38], deviation(&wide(&DIFFERENCE_5)))?;

    println!();
    let smoothing = Chart::new("Smoothing a noisy step")
        .x_label("place")
        .y_label("value")
        .points("signal", along(&f, 1, 1))
        .line("mean of 3", along(&mean_3, 3, 1))
        .line("mean of 5", along(&mean_5, 5, 1));
    lesson.save("06_smoothing", &smoothing)?;
    let difference = Chart::new("Differences of a noisy step")
        .x_label("place")
        .y_label("slope")
        .line("kernel of 3", along(&difference_3, 3, 1))
        .line("kernel of 5", along(&difference_5, 5, 1))
        .points("kernel of 5, stride 2", along(&half_5, 5, 2));
    lesson.save("06_difference", &difference)
}

/// The points of an output: each stands over the middle of what its kernel saw.
fn along<const N: usize>(y: &Tensor<1, 1, N>, kernel: usize, stride: usize) -> impl Iterator<Item = (f64, f64)> {
    y[0][0].into_iter().enumerate().map(move |(i, y)| ((i * stride) as f64 + (kernel - 1) as f64 / 2.0, y.into()))
}

/// The standard deviation of all elements.
fn deviation<const N: usize>(y: &Tensor<1, 1, N>) -> f32 {
    let mean = y.as_slice().iter().sum::<f32>() / N as f32;
    (y.as_slice().iter().map(|y| (y - mean).powi(2)).sum::<f32>() / N as f32).sqrt()
}

/// Linearity and commutativity, in numbers.
fn laws() -> anyhow::Result<()> {
    let f: [f32; 6] = [1.0, 2.0, 0.0, -1.0, 3.0, 5.0];
    let h: [f32; 6] = [0.0, 1.0, 1.0, -2.0, 4.0, -1.0];
    let g: [f32; 3] = [1.0, -2.0, 4.0];
    let by_g = |f: [f32; 6]| -> [f32; 4] { correlate_1d(&Tensor([[f]]), &g, Stride::<1>)[0][0] };
    println!("\nf = {f:?}, h = {h:?}, g = {g:?}\n");

    let whole = by_g(std::array::from_fn(|i| 2.0 * f[i] + 3.0 * h[i]));
    let parts: [f32; 4] = std::array::from_fn(|i| 2.0 * by_g(f)[i] + 3.0 * by_g(h)[i]);
    println!("linear:       (2f + 3h) ⋆ g = {whole:?}");
    println!("            2 f ⋆ g + 3 h ⋆ g = {parts:?}");
    anyhow::ensure!(whole == parts, "correlation is not linear");

    // With two zeros beside f, and five beside g, every overlap of the two is an output: 6 + 3 − 1 = 8.
    let f_padded = Tensor([[around::<6, 10>(&f)]]);
    let g_padded = Tensor([[around::<3, 13>(&g)]]);
    let [fg, gf]: [Tensor<1, 1, 8>; 2] =
        [correlate_1d(&f_padded, &flip_1d(&g), Stride::<1>), correlate_1d(&g_padded, &flip_1d(&f), Stride::<1>)];
    println!("commutative:  f * g = {:?}\n              g * f = {:?}", fg[0][0], gf[0][0]);
    anyhow::ensure!(fg == gf, "convolution is not commutative");

    let [fg, gf]: [Tensor<1, 1, 8>; 2] =
        [correlate_1d(&f_padded, &g, Stride::<1>), correlate_1d(&g_padded, &f, Stride::<1>)];
    println!(
        "but           f ⋆ g = {:?}\n              g ⋆ f = {:?}, the same from the other end\n",
        fg[0][0], gf[0][0]
    );
    anyhow::ensure!(fg[0][0] == flip_1d(&gf[0][0]) && fg != gf, "correlation is not what it should be");
    Ok(())
}

/// The elements with zeros on both sides, as many on each.
fn around<const N: usize, const PADDED: usize>(f: &[f32; N]) -> [f32; PADDED] {
    let zeros = (PADDED - N) / 2;
    std::array::from_fn(|i| i.checked_sub(zeros).and_then(|i| f.get(i)).copied().unwrap_or(0.0))
}

type Image = Tensor<1, 128, 128>;

// How much lighter it becomes to the right, and downwards (I. Sobel 1968); and how much lighter a place's neighbours are than itself.
const SOBEL_X: [[f32; 3]; 3] = [[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]];
const SOBEL_Y: [[f32; 3]; 3] = [[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]];
const LAPLACE: [[f32; 3]; 3] = [[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]];
/// Nearly a Gaussian of σ = 1, which in two dimensions is the product of its rows and columns.
const BINOMIAL_5: [f32; 5] = [1.0 / 16.0, 4.0 / 16.0, 6.0 / 16.0, 4.0 / 16.0, 1.0 / 16.0];
const BOX_3: [[f32; 3]; 3] = [[1.0 / 9.0; 3]; 3];

/// Blur and edge kernels on a picture.
fn images(lesson: &Lesson, picture: &Image) -> anyhow::Result<()> {
    let gauss_5 = BINOMIAL_5.map(|row| BINOMIAL_5.map(|column| row * column));
    let blur =
        Maps::new().title("Blur: the picture, and two means").columns(3).cell(lesson.size(2, 1)).range(0.0..=1.0);
    let blur = add::<1, 1, 128>(blur, "1×1", picture, &[[1.0]]);
    let blur = add::<3, 1, 126>(blur, "box 3×3", picture, &BOX_3);
    let blur = add::<5, 1, 124>(blur, "Gauss 5×5", picture, &gauss_5);
    // Every second pixel alone leaves stairs at slanted edges, of means it does not.
    let blur = add::<1, 2, 64>(blur, "1×1", picture, &[[1.0]]);
    let blur = add::<3, 2, 63>(blur, "box 3×3", picture, &BOX_3);
    let blur = add::<5, 2, 62>(blur, "Gauss 5×5", picture, &gauss_5);
    lesson.save("06_blur", &blur)?;

    let kernels = [("Sobel 3×3 →", &SOBEL_X), ("Sobel 3×3 ↓", &SOBEL_Y), ("Laplace 3×3", &LAPLACE)];
    let edges = Maps::new()
        .title("Edges: blue below 0, white 0, red above")
        .columns(3)
        .cell(lesson.size(2, 1))
        .signed()
        .range(-1.5..=1.5);
    let edges = kernels.iter().fold(edges, |edges, (name, kernel)| add::<3, 1, 126>(edges, name, picture, kernel));
    let edges = kernels.iter().fold(edges, |edges, (name, kernel)| add::<3, 2, 63>(edges, name, picture, kernel));
    lesson.save("06_edges", &edges)?;

    // Kernels of sum 0 see no constant: the negative of a picture has the same edges with the other sign.
    let negative = Image::from_fn(|_, row, column| 1.0 - picture[0][row][column]);
    for (name, kernel) in kernels {
        let [y, turned]: [Tensor<1, 126, 126>; 2] = [picture, &negative].map(|f| correlate(f, kernel, Stride::<1>));
        let most = y.as_slice().iter().zip(turned.as_slice()).map(|(y, turned)| (y + turned).abs()).fold(0.0, f32::max);
        anyhow::ensure!(most < 1e-5, "{name} sees a constant: {most}");
    }
    Ok(())
}

/// The maps and one more: the picture after a kernel of `K × K` with the stride `S`, of which `OUT × OUT` elements are left.
fn add<const K: usize, const S: usize, const OUT: usize>(
    maps: Maps, name: &str, picture: &Image, kernel: &[[f32; K]; K],
) -> Maps {
    let y: Tensor<1, OUT, OUT> = correlate(picture, kernel, Stride::<S>);
    maps.image(format!("{name}, stride {S}: {OUT}×{OUT}"), &y)
}

/// The middle of a picture from a file, in grey of 0 to 1.
fn read(file: &Path) -> anyhow::Result<Image> {
    let picture = image::open(file).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
    let grey = picture.resize_to_fill(128, 128, image::imageops::FilterType::Triangle).to_luma32f();
    Image::from_slice(&grey).ok_or_else(|| anyhow::anyhow!("{}: it has no 128 × 128 pixels", file.display()))
}

/// A house in the evening sun, in grey of 0 to 1: edges of all directions, soft shades, and a fence that is as fine as pixels.
fn drawn() -> Image {
    // Each pixel is the mean of 4 × 4 places in it, so that slanted edges are smooth.
    Image::from_fn(|_, row, column| {
        let places =
            (0..16).map(|i| (column as f32 + (i % 4) as f32 / 4.0 + 0.125, row as f32 + (i / 4) as f32 / 4.0 + 0.125));
        places.map(|(x, y)| shade(x, y)).sum::<f32>() / 16.0
    })
}

/// The drawing at a place, `x` to the right and `y` down, of 0 to 128 each.
fn shade(x: f32, y: f32) -> f32 {
    let within =
        |left: f32, right: f32, top: f32, bottom: f32| (left..right).contains(&x) && (top..bottom).contains(&y);
    let from = |cx: f32, cy: f32| (x - cx).hypot(y - cy);
    if within(30.0, 38.0, 30.0, 50.0) {
        0.3 // the chimney
    } else if y < 64.0 && y > 32.0 + (x - 56.0).abs() * 0.8 {
        0.35 + 0.1 * (y * 1.2).sin() // the roof, in rows of tiles
    } else if within(52.0, 64.0, 84.0, 106.0) {
        0.2 + 0.15 * f32::from(from(61.0, 96.0) < 1.2) // the door and its handle
    } else if within(28.0, 44.0, 74.0, 90.0) || within(72.0, 84.0, 74.0, 90.0) {
        // The windows: panes that mirror the sky, and bars between.
        let bar = (x - if x < 50.0 { 36.0 } else { 78.0 }).abs() < 1.0 || (y - 82.0).abs() < 1.0;
        if bar { 0.9 } else { 0.15 + (90.0 - y) / 60.0 }
    } else if within(22.0, 90.0, 62.0, 106.0) {
        0.85 - (x - 22.0) / 200.0 // the wall, darker away from the sun
    } else if from(106.0, 78.0) < 15.0 {
        0.25 + 0.2 * (1.0 - from(100.0, 71.0) / 22.0) // a tree, its crown a ball
    } else if within(104.0, 108.0, 90.0, 108.0) {
        0.2 // its trunk
    } else if within(0.0, 128.0, 110.0, 124.0) && (x % 6.0 < 2.5 || within(0.0, 128.0, 114.0, 116.0)) {
        0.95 // the fence
    } else if y > 104.0 {
        0.4 + 0.1 * ((x + 2.0 * y) / 9.0).sin() // the meadow
    } else if from(104.0, 24.0) < 13.0 {
        1.0 // the sun
    } else {
        // The sky, with a glow around the sun.
        0.45 + 0.25 * y / 104.0 + 0.3 * (-(from(104.0, 24.0) - 13.0) / 12.0).exp()
    }
}
