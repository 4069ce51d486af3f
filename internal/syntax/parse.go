package syntax

// Parse reads data as the format that name and content tell. It never fails: a
// file that does not parse is Text read line by line, and Broken says why.
func Parse(name string, data []byte) *File { panic("to be written") }

// ParseAs reads data as format f; see [Parse].
func ParseAs(name string, data []byte, f Format) *File { panic("to be written") }

// FormatOf tells the format by name alone: by extension, and by the names that
// env files go by (.env, .env.prod, prod.env, secrets.env.enc).
func FormatOf(name string) Format { panic("to be written") }

// Get returns the leaf at exactly the mapping keys given.
func (d Doc) Get(keys ...string) (Leaf, bool) { panic("to be written") }

// Under returns the leaves below the mapping keys given, in source order.
func (d Doc) Under(keys ...string) []Leaf { panic("to be written") }

// Sub returns the span of bytes [start, end) of the leaf's decoded value: exact
// where the source holds the value verbatim, else the leaf's whole span.
func (f *File) Sub(l Leaf, start, end int) Span { panic("to be written") }

// At returns the place of a byte offset into f.Data.
func (f *File) At(offset int) Pos { panic("to be written") }
