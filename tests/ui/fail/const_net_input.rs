use tenonet::network;

const WIDTH: usize = 8;

network! {
    struct Block([2 * WIDTH, 4, 4] -> [WIDTH, 4, 4]) { conv(WIDTH, kernel = 1) }
}
network! {
    struct Net([16, 4, 4] -> [WIDTH, 4, 4]) { repeat(2) { block: net(Block) } }
}

fn main() {}
