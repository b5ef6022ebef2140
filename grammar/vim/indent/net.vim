" Indentation of .net files as they are typed: four columns behind a colon or an open
" bracket; what goes on with `->` stands two columns in.  `netdsl fmt` has the last word.

if exists("b:did_indent")
  finish
endif
let b:did_indent = 1

setlocal indentexpr=NetIndent(v:lnum) indentkeys=!^F,o,O,<:>,0),0],0},0=->,0=elif,0=else
let b:undo_indent = "setlocal indentexpr< indentkeys<"

if exists("*NetIndent")
  finish
endif

" A line without its comment.
function s:Code(line) abort
  return substitute(getline(a:line), '\v\s*%(#.*)?$', '', '')
endfunction

" The line in which a statement begins whose rest stands in this one.
function s:Start(line) abort
  let line = a:line
  while line > 1 && s:Code(line) =~# '\v^\s*%(-\>|\|)'
    let line = prevnonblank(line - 1)
  endwhile
  return line
endfunction

function NetIndent(line) abort
  let above = prevnonblank(a:line - 1)
  if above == 0
    return 0
  endif
  let own = getline(a:line)
  if own =~# '\v^\s*[\])}]'
    " A closing bracket stands under the line that opened it.
    call cursor(a:line, indent(a:line) + 1)
    let open = searchpair('[\[({]', '', '[\])}]', 'bnW')
    return open > 0 ? indent(open) : -1
  endif
  if own =~# '\v^\s*-\>'
    return s:Code(above) =~# '\v^\s*-\>' ? indent(above) : indent(s:Start(above)) + 2
  endif
  if own =~# '\v^\s*%(elif|else)>'
    call cursor(a:line, 1)
    let line = above
    while line > 1 && s:Code(line) !~# '\v^\s*%(if|elif|for)>.*:$'
      let line = prevnonblank(line - 1)
    endwhile
    return indent(line)
  endif
  let wanted = indent(above)
  if s:Code(above) =~# '\v[:\[({]$'
    let wanted += shiftwidth()
  elseif s:Code(above) =~# '\v^\s*-\>'
    let wanted = indent(s:Start(above))
  endif
  " A line that stands further left ends a block.
  return own =~# '\S' && indent(a:line) < wanted ? indent(a:line) : wanted
endfunction
