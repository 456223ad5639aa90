//! What the micro-kernel goes over: rows of A and columns of B, lines of such rows, and the walk along K.

/// How a product walks along K: three loops, the outermost first, each with its count and the elements that one turn
/// moves A and B by.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    /// Turns.
    pub count: [usize; 3],
    /// Elements of A.
    pub a: [isize; 3],
    /// Elements of B.
    pub b: [isize; 3],
}

impl Walk {
    /// The row of B that lies behind all others.
    #[inline(always)]
    pub(super) fn last_row<T>(&self, b: *const T) -> *const T {
        self.last_of(2, self.last_of(1, self.last_of(0, b)))
    }

    /// The one that lies behind all others of this loop, whose first one is `b`.
    #[inline(always)]
    pub(super) fn last_of<T>(&self, turn: usize, b: *const T) -> *const T {
        b.wrapping_offset((self.count[turn].saturating_sub(1) as isize * self.b[turn]).max(0))
    }

    /// At the most so many steps, the last of a run, lead to rows of B behind which fewer than `beyond` elements of B follow.
    #[inline(always)]
    pub(super) fn at_the_end(&self, beyond: usize) -> usize {
        let [.., step] = self.b;
        match usize::try_from(step) {
            Ok(0) | Err(_) => usize::MAX,
            // Nearly always, and without a division.
            Ok(step) if step >= beyond => 1,
            Ok(step) => beyond.div_ceil(step),
        }
    }
}

/// Rows of A, and where their products go.
pub struct Rows<T> {
    /// The first row's first element.
    pub a: *const T,
    /// Elements from one row of A to the next.
    pub a_step: isize,
    /// The output.
    pub c: *mut T,
    /// The first row's first element in the output, without the channel.
    pub at: usize,
    /// Elements from one row of the output to the next.
    pub at_step: usize,
    /// Rows.
    pub n: usize,
}

impl<T> Clone for Rows<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Rows<T> {}

impl<T> Rows<T> {
    /// The rows from row `i` on.
    #[inline(always)]
    pub(super) fn from(self, i: usize) -> Self {
        let a = self.a.wrapping_offset(i as isize * self.a_step);
        Rows { a, at: self.at + i * self.at_step, n: self.n - i, ..self }
    }
}

/// Columns of B: `NV` vectors of which the last has `last` lanes.
pub struct Columns<T> {
    /// The first row's first element of these columns.
    pub b: *const T,
    /// Their number, for the epilogue.
    pub channel: usize,
    /// Lanes of the last vector.
    pub last: usize,
}

impl<T> Clone for Columns<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Columns<T> {}

/// Lines of rows, all of the same length: those of a map, with one B, or products of one shape, each with its own.
///
/// A call of the micro-kernel goes over all of them, for a call costs some dozens of cycles, and a line may be 13 rows of 16 products. (With AVX2, a shortcut of 16 channels in rows of
/// 16 pixels takes 0.87 of the time of a call for each, and Winograd's 36 products of 16 channels with what is around them 0.92.)
pub struct Lines<T> {
    /// The first.
    pub first: Rows<T>,
    /// Their number.
    pub count: usize,
    /// Elements of A from one to the next.
    pub a_step: isize,
    /// Elements of B from one to the next.
    pub b_step: usize,
    /// Elements of the output from one to the next.
    pub at_step: usize,
}

impl<T> Clone for Lines<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Lines<T> {}

impl<T> From<Rows<T>> for Lines<T> {
    #[inline(always)]
    fn from(first: Rows<T>) -> Self {
        Lines { first, count: 1, a_step: 0, b_step: 0, at_step: 0 }
    }
}

/// What a call of the micro-kernel goes over: [`Lines`], or where code counts, one of them.
pub(super) trait Extent<T>: Copy {
    /// The first line.
    fn first(&self) -> Rows<T>;

    /// Lines.
    fn count(&self) -> usize;

    /// The rows from row `i` of each on.
    fn skip(self, i: usize) -> Self;

    /// What the line behind that of these rows begins with.
    fn next(&self, rows: Rows<T>, columns: Columns<T>) -> (Rows<T>, Columns<T>);
}

impl<T> Extent<T> for Lines<T> {
    #[inline(always)]
    fn first(&self) -> Rows<T> {
        self.first
    }

    #[inline(always)]
    fn count(&self) -> usize {
        self.count
    }

    #[inline(always)]
    fn skip(self, i: usize) -> Self {
        Lines { first: self.first.from(i), ..self }
    }

    #[inline(always)]
    fn next(&self, rows: Rows<T>, columns: Columns<T>) -> (Rows<T>, Columns<T>) {
        let (a, b) = (rows.a.wrapping_offset(self.a_step), columns.b.wrapping_add(self.b_step));
        (Rows { a, at: rows.at + self.at_step, ..rows }, Columns { b, ..columns })
    }
}

impl<T> Extent<T> for Rows<T> {
    #[inline(always)]
    fn first(&self) -> Rows<T> {
        *self
    }

    #[inline(always)]
    fn count(&self) -> usize {
        1
    }

    #[inline(always)]
    fn skip(self, i: usize) -> Self {
        self.from(i)
    }

    #[inline(always)]
    fn next(&self, rows: Rows<T>, columns: Columns<T>) -> (Rows<T>, Columns<T>) {
        (rows, columns)
    }
}
