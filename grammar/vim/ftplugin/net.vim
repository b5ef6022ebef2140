" Settings for .net files, the models of netdsl.
"
" `:make` checks the file and fills the quickfix list; `gq` formats.
"
" Neovim shows messages, hovers and shapes with the language server, which comes with
" `pip install 'netdsl[lsp]'`.  From 0.11, in init.lua:
"
"   vim.lsp.config('netdsl', {
"     cmd = { 'netdsl', 'lsp' }, filetypes = { 'net' }, root_markers = { '.git' },
"   })
"   vim.lsp.enable('netdsl')
"
" before it:
"
"   vim.api.nvim_create_autocmd('FileType', {
"     pattern = 'net',
"     callback = function(args)
"       local name = vim.api.nvim_buf_get_name(args.buf)
"       vim.lsp.start({
"         name = 'netdsl', cmd = { 'netdsl', 'lsp' }, root_dir = vim.fs.dirname(name),
"       })
"     end,
"   })

if exists("b:did_ftplugin")
  finish
endif
let b:did_ftplugin = 1

setlocal comments=:# commentstring=#\ %s
setlocal formatoptions-=t formatoptions+=croql
setlocal expandtab shiftwidth=4 softtabstop=4 tabstop=4
setlocal suffixesadd=.net
setlocal include=^from define=^\\%(net\\\|fn\\\|extern\\\|let\\)
setlocal makeprg=netdsl\ check\ --error-format\ short\ %:S
setlocal errorformat=%f:%l:%c:\ %t%*[a-z]%m,%f:%l:%c:\ %m,%-G%.%#
setlocal formatprg=netdsl\ fmt\ -

let b:undo_ftplugin = "setlocal comments< commentstring< formatoptions< expandtab<"
  \ . " shiftwidth< softtabstop< tabstop< suffixesadd< include< define< makeprg<"
  \ . " errorformat< formatprg<"
