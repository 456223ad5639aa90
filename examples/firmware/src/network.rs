// The network of `examples/digits.rs`.
network! {
    /// A small convolutional network for grey digits of 8 × 8 pixels.
    pub struct Digits([1, 8, 8] -> [10]) {
        conv1: conv(16, kernel = 3, padding = same), relu,
        conv2: conv(32, kernel = 3, padding = same), relu, max_pool(2),
        conv3: conv(32, kernel = 3, padding = same), relu, max_pool(2),
        flatten,
        fc: linear(10),
    }
}
