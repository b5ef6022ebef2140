-- Neovim as a client of `netdsl lsp`: opens a file with a mistake, mends it, asks.
-- Writes what it got as JSON to $NETDSL_OUT and leaves.

local function fail(text)
  io.stderr:write(text .. "\n")
  vim.cmd("cquit 1")
end

local got = {}
local buffer = vim.api.nvim_get_current_buf()

local client = vim.lsp.start_client({
  name = "netdsl",
  cmd = { os.getenv("NETDSL_PYTHON"), "-m", "netdsl", "lsp" },
  root_dir = vim.fn.getcwd(),
})
if not client then
  fail("the server did not start")
end
vim.lsp.buf_attach_client(buffer, client)

local function wait(what, test)
  if not vim.wait(60000, test, 20) then
    fail("nothing came of: " .. what)
  end
end

local function ask(method, line, column)
  local params = {
    textDocument = { uri = vim.uri_from_bufnr(buffer) },
    position = { line = line, character = column },
    options = { tabSize = 4, insertSpaces = true },
  }
  local answers, problem = vim.lsp.buf_request_sync(buffer, method, params, 60000)
  if not answers then
    fail(method .. ": " .. tostring(problem))
  end
  return answers[client].result
end

wait("the first messages", function()
  return #vim.diagnostic.get(buffer) > 0
end)
got.first = vim.diagnostic.get(buffer)[1]

-- The mistake is mended in the buffer; the file on the disk keeps it.
local line = vim.api.nvim_buf_get_lines(buffer, 3, 4, true)[1]
local mended = string.gsub(line, "rellu", "relu")
vim.api.nvim_buf_set_lines(buffer, 3, 4, true, { mended })
wait("the messages after the edit", function()
  return #vim.diagnostic.get(buffer) == 0
end)

got.hover = ask("textDocument/hover", 3, 10)
got.completion = #ask("textDocument/completion", 3, string.len(line)).items
got.symbols = ask("textDocument/documentSymbol", 0, 0)
got.definition = ask("textDocument/definition", 7, 20)
got.formatting = ask("textDocument/formatting", 0, 0)

local file = io.open(os.getenv("NETDSL_OUT"), "w")
file:write(vim.fn.json_encode(got))
file:close()
vim.lsp.stop_client(client)
vim.cmd("qall!")
