use tenonet::network;

network! {
    struct Block([4, 8, 8] -> [4, 8, 8]) { conv(4, kernel = 3, padding = 1, groups = 3) }
}
network! {
    struct Net([4, 8, 8] -> [10]) { block: net(Block), flatten, linear(10) }
}

fn main() {
    println!("{}", Net::summary());
}
