/*
Copyright 2026 The app-operator authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// indent is how far everything below a step's title is moved to the right.
const indent = "    "

// printer writes for a person. Its methods may be called concurrently.
type printer struct {
	began    time.Time
	terminal bool // overwriting a line works, and bold is bold

	mu       sync.Mutex
	out      io.Writer
	midLine  bool      // the last text did not end with a line feed
	live     bool      // a live line is on the screen
	lastLive time.Time // when progress was last shown
}

func newPrinter(out *os.File) *printer {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	return &printer{began: time.Now(), terminal: terminal, out: out}
}

// step starts a numbered step.
func (p *printer) step(number int, title string) {
	text := fmt.Sprintf("%d. %s", number, title)
	if p.terminal {
		text = "\x1b[1m" + text + "\x1b[0m"
	}
	p.line("\n[%5.1f s] %s", time.Since(p.began).Seconds(), text)
}

// say writes a remark below the step's title.
func (p *printer) say(format string, args ...any) {
	_, _ = fmt.Fprintf(p, format+"\n", args...)
}

// line writes a line that is not indented.
func (p *printer) line(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clearLive()
	_, _ = fmt.Fprintf(p.out, format+"\n", args...)
}

// indented writes text with every line moved to the right.
func (p *printer) indented(columns int, text string) {
	prefix := strings.Repeat(" ", columns)
	p.line("%s", prefix+strings.ReplaceAll(text, "\n", "\n"+prefix))
}

// Write indents what commands print. A line may come in pieces.
func (p *printer) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clearLive()
	for piece := range strings.SplitAfterSeq(string(text), "\n") {
		if piece == "" {
			continue
		}
		if !p.midLine && piece != "\n" {
			piece = indent + piece
		}
		p.midLine = !strings.HasSuffix(piece, "\n")
		if _, err := io.WriteString(p.out, piece); err != nil {
			return 0, err
		}
	}
	return len(text), nil
}

// progress shows how a wait is going: on a terminal as one line that changes, elsewhere as a line every two seconds.
// It may be called much more often than that.
func (p *printer) progress(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pause := 2 * time.Second
	if p.terminal {
		pause = 200 * time.Millisecond
	}
	if time.Since(p.lastLive) < pause {
		return
	}
	p.lastLive = time.Now()
	text := indent + fmt.Sprintf(format, args...)
	if p.terminal {
		p.live = true
		text = "\r\x1b[K" + text
	} else {
		text += "\n"
	}
	_, _ = io.WriteString(p.out, text)
}

func (p *printer) clearLive() {
	if p.live {
		_, _ = io.WriteString(p.out, "\r\x1b[K")
		p.live = false
	}
}
