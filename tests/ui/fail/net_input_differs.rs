use tenonet::network;

network! {
    struct Block([16, 8, 8] -> [16, 8, 8]) { conv(16, kernel = 3, padding = 1), relu }
}
network! {
    struct Net([1, 8, 8] -> [10]) {
        conv(8, kernel = 1), repeat(2) { block: net(Block) }, flatten, linear(10),
    }
}

fn main() {}
