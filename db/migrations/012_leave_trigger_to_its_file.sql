set local role aqm_coins_owner;

-- Every rollback drops the functions, and with them a trigger that only a migration would make again. From now on the
-- function's file makes it, where it is missing. Once, in this migrate, that lets claims wait until all functions are
-- applied, about a second; an upload by functions from before 011 is refused for that second.
drop trigger fill_public_key_digest on coins.coin_inventory;
drop function coins.fill_public_key_digest();
