use tenonet::network;

network! {
    struct Block([4] -> [4]) { fc: linear(4), relu }
}
network! {
    struct Net([4] -> [4]) { fc: linear(4), block: net(Block), block: linear(4), fc: net(Block) }
}

fn main() {}
