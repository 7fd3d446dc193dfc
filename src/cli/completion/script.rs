//! The scripts: each asks this program for the words that fit, and hands them to its shell.

use crate::args::Shell;

/// The script for a program of that name.
pub(crate) fn script(shell: Shell, program: &str) -> String {
    // A name of a function.
    let is_word = |c: char| c.is_ascii_alphanumeric();
    let function: String = program
        .chars()
        .map(|c| if is_word(c) { c } else { '_' })
        .collect();
    let template = match shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
        Shell::Fish => FISH,
        Shell::Powershell => POWERSHELL,
    };
    template
        .replace("FUNCTION", &format!("_complete_{function}"))
        .replace("PROGRAM", program)
}

/// The first word of the line is asked, so that it works by any path.
const BASH: &str = r#"# Completions of PROGRAM for bash: eval "$(PROGRAM completions bash)"
FUNCTION() {
    local line kind=
    COMPREPLY=()
    while IFS= read -r line; do
        if [ -z "$kind" ]; then
            kind=$line
        else
            COMPREPLY+=("$line")
        fi
    done < <("$1" completions bash -- "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    [ "$kind" = words ] || compopt -o default 2>/dev/null
}
complete -F FUNCTION PROGRAM
"#;

const ZSH: &str = r#"#compdef PROGRAM
# Completions of PROGRAM for zsh: PROGRAM completions zsh > "${fpath[1]}/_PROGRAM"
FUNCTION() {
    local -a found
    found=("${(@f)$("${(Q)words[1]}" completions zsh -- "${(@Q)words[1,CURRENT]}" 2>/dev/null)}")
    if [[ ${found[1]} == words ]]; then
        found=("${(@)found[2,-1]}")
        (( ${#found} )) && compadd -- "${(@)found}"
    else
        _files
    fi
}
if [[ ${funcstack[1]} == _PROGRAM ]]; then
    FUNCTION "$@"
else
    compdef FUNCTION PROGRAM
fi
"#;

const FISH: &str = r#"# Completions of PROGRAM for fish: PROGRAM completions fish | source
function FUNCTION
    set -l before (commandline -opc)
    set -l found ($before[1] completions fish -- $before (commandline -ct | string unescape) 2>/dev/null)
    if test "$found[1]" = words
        printf '%s\n' $found[2..-1]
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c PROGRAM -f -a '(FUNCTION)'
"#;

const POWERSHELL: &str = r#"# Completions of PROGRAM for PowerShell: PROGRAM completions powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName 'PROGRAM' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $typed = @($commandAst.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursorPosition } | ForEach-Object {
        if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text }
    })
    if ($wordToComplete -eq '') { $typed += '' }
    $found = @(& $typed[0] completions powershell -- @typed 2>$null)
    if ($found[0] -eq 'words') {
        $found | Select-Object -Skip 1 | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
        }
    }
}
"#;
