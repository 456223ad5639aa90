use tenonet::network;

network! {
    struct Net([4] -> [4]) { head: net(), net(3), net(Net) }
}

fn main() {}
