//! JSON, as much as the header of a weight file may hold.

/// A value.
#[derive(Debug, PartialEq)]
pub enum Json {
    Object(Vec<(String, Json)>),
    Array(Vec<Json>),
    String(String),
    /// A whole number that is not negative.
    Number(usize),
    /// Another number, `true`, `false` or `null`.
    Other,
}

impl Json {
    /// The object's value of that name.
    pub fn field(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(fields) => fields.iter().find(|(field, _)| field == name).map(|(_, value)| value),
            _ => None,
        }
    }

    pub fn number(&self) -> Option<usize> {
        match self {
            Json::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// Arrays and objects in each other: a header has three, and a damaged one must not exhaust the stack.
const DEEPEST: usize = 16;

/// The text as one value, or what is wrong with it.
pub fn parse(text: &str) -> Result<Json, String> {
    let mut parser = Parser { text, at: 0 };
    let value = parser.value(0)?;
    match parser.peek() {
        None => Ok(value),
        Some(_) => Err(parser.expected("the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    /// Bytes read.
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn expected(&self, what: &str) -> String {
        format!("{what} expected at byte {}", self.at)
    }

    /// The next character that is no blank.
    fn peek(&mut self) -> Option<char> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        self.rest().chars().next()
    }

    /// Whether the next character is this one; then it is read.
    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += if found { wanted.len_utf8() } else { 0 };
        found
    }

    fn want(&mut self, wanted: char) -> Result<(), String> {
        if self.take(wanted) { Ok(()) } else { Err(self.expected(&format!("`{wanted}`"))) }
    }

    fn value(&mut self, depth: usize) -> Result<Json, String> {
        if depth > DEEPEST {
            return Err(self.expected("a shallower value"));
        }
        match self.peek() {
            Some('{') => {
                let mut fields = Vec::new();
                self.list('{', '}', |parser| {
                    let name = parser.string()?;
                    parser.want(':')?;
                    fields.push((name, parser.value(depth + 1)?));
                    Ok(())
                })?;
                Ok(Json::Object(fields))
            }
            Some('[') => {
                let mut values = Vec::new();
                self.list('[', ']', |parser| {
                    values.push(parser.value(depth + 1)?);
                    Ok(())
                })?;
                Ok(Json::Array(values))
            }
            Some('"') => Ok(Json::String(self.string()?)),
            _ => self.word(),
        }
    }

    /// `item`s between brackets, with commas between them.
    fn list(
        &mut self, open: char, close: char, mut item: impl FnMut(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        self.want(open)?;
        if self.take(close) {
            return Ok(());
        }
        loop {
            item(self)?;
            if !self.take(',') {
                return self.want(close);
            }
        }
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<Json, String> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len());
        let word = &rest[..end];
        if !matches!(word, "true" | "false" | "null") && word.parse::<f64>().is_err() {
            return Err(self.expected("a value"));
        }
        self.at += end;
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        Ok(word.parse().ok().filter(|_| digits).map_or(Json::Other, Json::Number))
    }

    fn string(&mut self) -> Result<String, String> {
        self.want('"')?;
        let mut string = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(['"', '\\']).ok_or_else(|| self.expected("the end of a string"))?;
            string += &rest[..plain];
            self.at += plain + 1;
            if rest[plain..].starts_with('"') {
                return Ok(string);
            }
            string.push(self.escaped()?);
        }
    }

    /// The character behind a backslash.
    fn escaped(&mut self) -> Result<char, String> {
        let Some(escape) = self.rest().chars().next() else { return Err(self.expected("a character")) };
        self.at += escape.len_utf8();
        Ok(match escape {
            '"' | '\\' | '/' => escape,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.unit()?;
                let mut units = vec![first];
                if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
                    self.at += 2;
                    units.push(self.unit()?);
                }
                match char::decode_utf16(units).next() {
                    Some(Ok(c)) => c,
                    _ => return Err(self.expected("a character")),
                }
            }
            _ => return Err(self.expected("an escaped character")),
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<u16, String> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.expected("four hexadecimal digits"))?;
        self.at += 4;
        Ok(unit)
    }
}
