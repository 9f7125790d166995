// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// A token as the standard has it; deployed twice, one is the look-alike of the other.
contract StandardToken is ERC20 {
    constructor(uint256 supply) ERC20("Standard", "STD") {
        _mint(msg.sender, supply);
    }
}

/// Shaped like Tether: transfer returns nothing, may keep a fee, may be paused.
contract TetherShaped {
    mapping(address => uint256) public balanceOf;
    address public owner = msg.sender;
    uint256 public feePer10000;
    bool public paused;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(uint256 supply) {
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function setFee(uint256 per10000) external {
        feePer10000 = per10000;
    }

    function setPaused(bool now_) external {
        paused = now_;
    }

    function transfer(address to, uint256 value) external {
        require(!paused, "paused");
        uint256 fee = value * feePer10000 / 10000;
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value - fee;
        if (fee > 0) {
            balanceOf[owner] += fee;
            emit Transfer(msg.sender, owner, fee);
        }
        emit Transfer(msg.sender, to, value - fee);
    }
}

/// Events that begin like a token's transfer, and a transfer that says no without failing.
contract OddToken {
    event Transfer(address indexed from, address indexed to, uint256 indexed id);

    function fourTopics(address to, uint256 id) external {
        emit Transfer(msg.sender, to, id);
    }

    function fourTopicsAndData(address to) external {
        bytes32 topic = keccak256("Transfer(address,address,uint256)");
        assembly {
            mstore(0, 5)
            log4(0, 32, topic, caller(), to, 5)
        }
    }

    function threeTopics(address to, uint256 dataBytes) external {
        bytes32 topic = keccak256("Transfer(address,address,uint256)");
        assembly {
            mstore(0, 5)
            mstore(32, 5)
            log3(0, dataBytes, topic, caller(), to)
        }
    }

    function dirtyReceiver(uint256 receiver) external {
        bytes32 topic = keccak256("Transfer(address,address,uint256)");
        assembly {
            mstore(0, 5)
            log3(0, 32, topic, caller(), receiver)
        }
    }

    function transfer(address, uint256) external pure returns (bool) {
        return false;
    }
}

/// Has plenty for everybody, and says no to every transfer without failing.
contract Refuser {
    function balanceOf(address) external pure returns (uint256) {
        return 10 ** 24;
    }

    function transfer(address, uint256) external pure returns (bool) {
        return false;
    }
}

/// Pays out of what it holds, in the ways that a watcher may get wrong.
contract Payer {
    receive() external payable {}

    function tokens(ERC20 token, address to, uint256 amount, uint256 times) external {
        for (uint256 i = 0; i < times; i++) token.transfer(to, amount);
    }

    function two(ERC20 token, address first, address second, uint256 amount) external {
        token.transfer(first, amount);
        token.transfer(second, amount);
    }

    function coin(address payable to, uint256 amount) public payable {
        (bool ok,) = to.call{value: amount}("");
        require(ok, "refused");
    }

    function coinThenRevert(address payable to, uint256 amount) external {
        this.coin(to, amount);
        revert("taken back");
    }

    /// Two payments, of which the first is taken back by a caller of the call that made it.
    function coinSecondTime(address payable to, uint256 amount) external {
        try this.coinThenRevert(to, amount) {} catch {}
        coin(to, amount);
    }

    function coinNever(address payable to, uint256 amount) external {
        try this.coinThenRevert(to, amount) {} catch {}
    }

    /// The coin comes with the call and is passed on by borrowed code, whose frames show it a second time.
    function borrowed(address payable to, uint256 amount) external payable {
        (bool ok,) = address(this).delegatecall(abi.encodeCall(this.coin, (to, amount)));
        require(ok, "refused");
    }

    function end(address payable to) external {
        selfdestruct(to);
    }
}
