/// A short text that a `const fn` can build: `core::fmt` does not run at compile time.
///
/// What does not fit into [`Text::CAPACITY`] bytes is cut at a character's border.
#[derive(Clone, Copy)]
pub struct Text {
    bytes: [u8; Text::CAPACITY],
    len: usize,
}

impl Text {
    /// Bytes that a text holds at most. The longest message of a fault has about 200.
    pub const CAPACITY: usize = 512;

    /// The empty text.
    pub const fn new() -> Self {
        Text { bytes: [0; Text::CAPACITY], len: 0 }
    }

    /// Appends a string.
    pub const fn str(mut self, s: &str) -> Self {
        let s = s.as_bytes();
        let mut end = s.len();
        if self.len + end > Text::CAPACITY {
            end = Text::CAPACITY - self.len;
            // A byte 0b10xx_xxxx continues a character: step back to where one begins.
            while end > 0 && s[end] & 0b1100_0000 == 0b1000_0000 {
                end -= 1;
            }
        }
        let mut i = 0;
        while i < end {
            self.bytes[self.len] = s[i];
            self.len += 1;
            i += 1;
        }
        self
    }

    /// Appends a number in decimal.
    pub const fn num(self, mut n: usize) -> Self {
        let mut digits = [b'0'; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (n % 10) as u8;
            n /= 10;
            if n == 0 {
                break;
            }
        }
        let (_, digits) = digits.split_at(at);
        match core::str::from_utf8(digits) {
            Ok(digits) => self.str(digits),
            Err(_) => self,
        }
    }

    /// Appends a number with a comma between thousands: `61,706`.
    pub const fn grouped(self, n: usize) -> Self {
        if n < 1000 {
            return self.num(n);
        }
        let low = n % 1000;
        self.grouped(n / 1000)
            .str(if low < 10 {
                ",00"
            } else if low < 100 {
                ",0"
            } else {
                ","
            })
            .num(low)
    }

    /// Appends another text.
    pub const fn text(self, other: &Text) -> Self {
        self.str(other.as_str())
    }

    /// The text.
    pub const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(s) => s,
            Err(_) => "",
        }
    }

    /// Whether nothing was appended yet.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Default for Text {
    fn default() -> Self {
        Text::new()
    }
}

impl core::fmt::Display for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::fmt::Debug for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_numbers() {
        assert_eq!(Text::new().num(0).str(" ").num(usize::MAX).as_str(), "0 18446744073709551615");
        assert_eq!(Text::new().grouped(61_706).as_str(), "61,706");
        assert_eq!(Text::new().grouped(1_000_005).as_str(), "1,000,005");
        assert_eq!(Text::new().grouped(999).as_str(), "999");
    }

    #[test]
    fn cuts_between_characters() {
        let mut text = Text::new();
        for _ in 0..200 {
            text = text.str("×≤");
        }
        assert!(text.as_str().len() <= Text::CAPACITY);
        assert!(text.as_str().len() > Text::CAPACITY - 3);
    }
}
