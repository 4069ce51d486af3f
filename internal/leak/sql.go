package leak

import (
	"bytes"
	"strings"
)

// sqlReader reads the rows of a database dump. A column's name says what its
// fields hold: in the rows themselves nothing does.
type sqlReader struct {
	s       *scan
	pos     int
	columns map[string][]string // by table, from CREATE TABLE
}

// readSQL reads the statements that hold rows: INSERT and COPY.
func (s *scan) readSQL() {
	r := sqlReader{s: s, columns: map[string][]string{}}
	for r.pos < len(s.data) {
		end := len(s.data)
		if at := bytes.IndexByte(s.data[r.pos:], '\n'); at >= 0 {
			end = r.pos + at + 1
		}
		switch next := r.pos; {
		case r.accept("create table"):
			r.createTable()
		case r.accept("insert into"), r.accept("insert ignore into"), r.accept("replace into"):
			r.insert()
		case r.accept("copy"):
			r.copyRows(end)
		default:
			r.pos = max(next, end)
			continue
		}
		if r.pos < end && r.pos > 0 && s.data[r.pos-1] != '\n' {
			r.pos = end
		}
	}
	s.work.lines += len(s.data)
}

// accept steps over a keyword with blanks before and behind it.
func (r *sqlReader) accept(keyword string) bool {
	from := r.pos
	for from < len(r.s.data) && (r.s.data[from] == ' ' || r.s.data[from] == '\t') {
		from++
	}
	to := from + len(keyword)
	if to >= len(r.s.data) || !equalFold(r.s.data[from:to], keyword) || isWordByte(r.s.data[to]) {
		return false
	}
	r.pos = to
	return true
}

// name reads an identifier, quoted or not, with its schema cut off.
func (r *sqlReader) name() string {
	r.blanks()
	from := r.pos
	for r.pos < len(r.s.data) && r.pos-from < 128 && (isWordByte(r.s.data[r.pos]) || strings.IndexByte("`\"[].$", r.s.data[r.pos]) >= 0) {
		r.pos++
	}
	name := strings.ToLower(strings.Trim(string(r.s.data[from:r.pos]), "`\"[]"))
	return strings.Trim(name[strings.LastIndexByte(name, '.')+1:], "`\"[]")
}

func (r *sqlReader) blanks() {
	for r.pos < len(r.s.data) && r.s.data[r.pos] <= ' ' {
		r.pos++
	}
}

// createTable reads the columns' names, one a line.
func (r *sqlReader) createTable() {
	r.accept("if not exists")
	table := r.name()
	r.blanks()
	if r.s.peek(r.pos) != '(' {
		return
	}
	r.pos++
	var columns []string
	for len(columns) < 500 {
		column := r.name()
		if column == "" {
			break
		}
		columns = append(columns, column)
		end := bytes.IndexByte(r.s.data[r.pos:], '\n')
		if end < 0 || r.s.peek(r.pos) == ')' {
			break
		}
		r.pos += end + 1
	}
	r.columns[table] = columns
}

// insert reads the rows of an INSERT statement up to its semicolon.
func (r *sqlReader) insert() {
	table := r.name()
	columns := r.columnList()
	if columns == nil {
		columns = r.columns[table]
	}
	r.blanks()
	if !r.accept("values") && !r.accept("value") {
		return
	}
	for {
		r.blanks()
		if r.s.peek(r.pos) != '(' {
			return
		}
		r.pos++
		if !r.row(table, columns) {
			return
		}
		r.blanks()
		if r.s.peek(r.pos) != ',' {
			return
		}
		r.pos++
	}
}

// columnList reads (a, b, c), or nothing.
func (r *sqlReader) columnList() []string {
	r.blanks()
	if r.s.peek(r.pos) != '(' {
		return nil
	}
	r.pos++
	var columns []string
	for len(columns) < 500 {
		columns = append(columns, r.name())
		r.blanks()
		c := r.s.peek(r.pos)
		r.pos++
		if c != ',' {
			break
		}
	}
	return columns
}

// row reads the fields of one row and weighs each by its column.
func (r *sqlReader) row(table string, columns []string) bool {
	for i := 0; r.pos < len(r.s.data); i++ {
		r.blanks()
		start, end := r.field()
		column := ""
		if i < len(columns) {
			column = columns[i]
		}
		r.weigh(table, column, start, end)
		r.blanks()
		c := r.s.peek(r.pos)
		r.pos++
		if c != ',' {
			return c == ')'
		}
	}
	return false
}

// field reads one literal and returns its bounds without quotes.
func (r *sqlReader) field() (start, end int) {
	data := r.s.data
	if r.s.peek(r.pos) != '\'' {
		start = r.pos
		for r.pos < len(data) && data[r.pos] != ',' && data[r.pos] != ')' && data[r.pos] != '\n' {
			r.pos++
		}
		return start, start // a number, NULL, a call
	}
	r.pos++
	start = r.pos
	for r.pos < len(data) {
		switch {
		case data[r.pos] == '\\':
			r.pos++
		case data[r.pos] == '\'' && r.s.peek(r.pos+1) == '\'':
			r.pos++
		case data[r.pos] == '\'':
			r.pos++
			return start, r.pos - 1
		}
		r.pos++
	}
	return start, start
}

// copyRows reads PostgreSQL's COPY table (columns) FROM stdin: fields with tabs
// between them, up to a line of \. alone.
func (r *sqlReader) copyRows(end int) {
	table := r.name()
	columns := r.columnList()
	if columns == nil {
		columns = r.columns[table]
	}
	if !bytes.Contains(bytes.ToLower(r.s.data[min(r.pos, end):end]), []byte("from stdin")) {
		return
	}
	r.pos = end
	for r.pos < len(r.s.data) {
		line := r.s.data[r.pos:]
		if at := bytes.IndexByte(line, '\n'); at >= 0 {
			line = line[:at+1]
		}
		start := r.pos
		r.pos += len(line)
		if bytes.HasPrefix(line, []byte(`\.`)) {
			return
		}
		for i, field := range bytes.Split(bytes.TrimRight(line, "\r\n"), []byte{'\t'}) {
			if i < len(columns) {
				r.weigh(table, columns[i], start, start+len(field))
			}
			start += len(field) + 1
		}
	}
}

// weigh judges a field by its column, or as a hash in a table of accounts.
func (r *sqlReader) weigh(table, column string, start, end int) {
	if end-start < 4 || end-start > maxValue || column == "" && !isAccounts(table) {
		return
	}
	value := string(r.s.data[start:end])
	class := classify(column)
	switch {
	case passwordHash(value) != "" || isDigest(value) && (class == classPassword || class == classHash || column == "" && isAccounts(table)):
		r.s.report(found{Match{Rule: "password-hash", Start: start, End: end, Severity: Error}, byPlace})
	case class != classNone:
		c := candidate{name: column, value: value, quoted: true, kind: kindConfig}
		if f, ok := assess(c); ok {
			f.Start, f.End = start, end
			r.s.report(f)
		}
	}
}

// isAccounts knows the names of tables that hold people's accounts.
func isAccounts(table string) bool {
	return containsAny(table, []string{"user", "account", "member", "admin", "login", "customer", "employee", "auth"})
}

// isDigest knows the sizes that hashes have in hex.
func isDigest(v string) bool {
	switch len(v) {
	case 32, 40, 56, 64, 96, 128:
		return isAllHex(v) && !monotonous(v)
	}
	return false
}
